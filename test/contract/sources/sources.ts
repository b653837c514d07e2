import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { WorkloadSource } from '../../../src/model/ports.ts';
import { createFileSource } from '../../../src/sources/file/source.ts';
import { createLibvirtSource } from '../../../src/sources/libvirt/source.ts';
import { createRuleSource } from '../../../src/sources/rules/source.ts';
import { startTcpProxy } from '../../helpers/fault-proxy.ts';
import { podObject, vmiObject } from '../../helpers/kube-objects.ts';
import { adminKubeConfig, asAdmin, deleteAsAdmin, installCrds, startKubeServer } from '../../helpers/kube-server.ts';
import { SHORT, create, startKubeSide } from '../../helpers/kube-sources.ts';
import { memorySource } from '../../helpers/memory-source.ts';

/** A source and the world that it looks at. */
export interface SourceWorld {
  readonly source: WorkloadSource;
  /** Makes a VM that uses the image; its instance directory has the VM's name. */
  add(name: string, imageRef: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** The source can no longer tell, until `repair`. */
  breakDown(): Promise<void>;
  repair(): Promise<void>;
  close(): Promise<void>;
}

export interface SourceImplementation {
  readonly name: string;
  make(): Promise<SourceWorld>;
}

async function memoryWorld(): Promise<SourceWorld> {
  const source = memorySource();
  return {
    source,
    add: async (name, ref) => source.put({ name, images: [{ role: 'image', ref }] }),
    remove: async (name) => source.remove(name),
    breakDown: async () => source.fail('broken'),
    repair: async () => source.fail(undefined),
    close: async () => undefined,
  };
}

async function fileWorld(): Promise<SourceWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-file-source-'));
  const path = join(directory, 'workloads.yaml');
  const entries = new Map<string, string>();
  const write = (): void => {
    const workloads = [...entries].map(([name, imageRef]) => ({ name, imageRef }));
    writeFileSync(path, JSON.stringify({ workloads }));
  };
  write();
  return {
    source: createFileSource({ path, clock: systemClock }),
    add: async (name, ref) => {
      entries.set(name, ref);
      write();
    },
    remove: async (name) => {
      entries.delete(name);
      write();
    },
    breakDown: async () => writeFileSync(path, 'workloads: ['),
    repair: async () => write(),
    close: async () => rmSync(directory, { recursive: true }),
  };
}

async function libvirtWorld(): Promise<SourceWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-libvirt-source-'));
  const [statusPath, definitionsPath] = [join(directory, 'run'), join(directory, 'etc')];
  const make = (): void => {
    mkdirSync(statusPath);
    mkdirSync(definitionsPath);
  };
  make();
  const nova = 'http://openstack.org/xmlns/libvirt/nova/1.1';
  return {
    source: createLibvirtSource({ statusPath, definitionsPath, instancesPath: '/var/lib/nova/instances', clock: systemClock }),
    add: async (name, ref) => {
      const metadata = `<metadata><n:instance xmlns:n="${nova}"><n:root type="image" uuid="${ref}"/></n:instance></metadata>`;
      writeFileSync(join(definitionsPath, `${name}.xml`), `<domain><name>${name}</name><uuid>uuid-of-${name}</uuid>${metadata}</domain>`);
    },
    remove: async (name) => rmSync(join(definitionsPath, `${name}.xml`)),
    breakDown: async () => {
      rmSync(statusPath, { recursive: true });
      rmSync(definitionsPath, { recursive: true });
    },
    repair: async () => make(),
    close: async () => rmSync(directory, { recursive: true }),
  };
}

const RULE_CRD = fileURLToPath(new URL('../../fixtures/rules/virtualmachines.yaml', import.meta.url));
const CRD = fileURLToPath(new URL('../../fixtures/kubevirt/virtualmachineinstances.yaml', import.meta.url));

/** Objects of a custom kind, on a real API server behind a proxy that can be cut. */
async function ruleWorld(): Promise<SourceWorld> {
  const server = await startKubeServer();
  await installCrds(server, RULE_CRD);
  const proxy = await startTcpProxy(server);
  const connection = { connectTimeoutMs: 300, pingIntervalMs: 100, pingTimeoutMs: 300 };
  const client = createKubeClient({
    kubeConfig: () => adminKubeConfig(server, proxy.url),
    userAgent: 'basekeeper/test',
    observe: () => undefined,
    timing: connection,
  });
  const rule = {
    name: 'vms',
    apiVersion: 'vm.example.com/v1alpha1',
    kind: 'VirtualMachine',
    nodeFrom: [],
    fields: { instance: [{ path: '{.metadata.name}', optional: false }], imageRef: [{ path: '{.spec.image}', optional: false }] },
  };
  const source = createRuleSource({ rule, client, nodeName: 'node-a', clock: systemClock, random: Math.random, timing: SHORT });
  const collection = '/apis/vm.example.com/v1alpha1/namespaces/default/virtualmachines';
  return {
    source,
    add: async (name, ref) => {
      const object = { apiVersion: rule.apiVersion, kind: rule.kind, metadata: { name }, spec: { image: ref } };
      await asAdmin(server, 'POST', collection, object);
    },
    remove: async (name) => await deleteAsAdmin(server, `${collection}/${name}`),
    breakDown: async () => {
      proxy.stall();
      proxy.resetAll();
    },
    repair: async () => proxy.resume(),
    close: async () => {
      client.close();
      await proxy.close();
      await server.stop();
    },
  };
}

/** Pods or VMIs of one node, on a real API server behind a proxy that can be cut. */
async function kubeWorld(kind: 'pods' | 'vmis'): Promise<SourceWorld> {
  const server = await startKubeServer();
  await installCrds(server, CRD);
  const proxy = await startTcpProxy(server);
  const connection = { connectTimeoutMs: 300, pingIntervalMs: 100, pingTimeoutMs: 300 };
  const side = startKubeSide(server, { nodeName: 'node-a', url: proxy.url, connection });
  const resource = kind === 'pods' ? 'pods' : 'virtualmachineinstances';
  const collection = kind === 'pods' ? '/api/v1/namespaces/default/pods' : `/apis/kubevirt.io/v1/namespaces/default/${resource}`;
  return {
    source: side[kind],
    add: async (name, ref) => {
      const pod = podObject({ name, annotations: { 'basekeeper.io/image-ref': ref } });
      await create(
        server,
        resource,
        kind === 'pods' ? pod : vmiObject({ name, node: 'node-a', volumes: [{ containerDisk: { image: ref } }] }),
      );
    },
    remove: async (name) => await deleteAsAdmin(server, `${collection}/${name}`),
    breakDown: async () => {
      proxy.stall();
      proxy.resetAll();
    },
    repair: async () => proxy.resume(),
    close: async () => {
      await side.stop();
      await proxy.close();
      await server.stop();
    },
  };
}

export const IMPLEMENTATIONS: readonly SourceImplementation[] = [
  { name: 'memory twin', make: memoryWorld },
  { name: 'workloads file', make: fileWorld },
  { name: 'libvirt', make: libvirtWorld },
  { name: 'pods', make: async () => await kubeWorld('pods') },
  { name: 'a rule', make: ruleWorld },
  { name: 'VMIs', make: async () => await kubeWorld('vmis') },
];
