/** Three real agents with a real API server: one that removes, one in a dry run, one that is held; and a Prometheus that scrapes them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startAgent } from '../demo/agent.ts';
import { VMI_DEFINITION } from '../demo/cluster.ts';
import { type ApiServer, startApiServer } from '../lib/api-server.ts';
import { freePort } from '../lib/free-port.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

const MIB = 2 ** 20;
const DAY = 86_400;

export const NODES = [
  { name: 'node-a', mode: 'enforce', files: 6, unused: 1, held: false },
  { name: 'node-b', mode: 'dry-run', files: 9, unused: 4, held: false },
  { name: 'node-c', mode: 'enforce', files: 4, unused: 2, held: true },
] as const;
type NodeSpec = (typeof NODES)[number];

export interface Fleet extends AsyncDisposable {
  readonly prometheus: Prometheus;
  /** Puts an old file that nothing uses onto `node-a`, which the next pass removes. */
  addUnusedFile(): void;
}

/** @param bundle dist/basekeeper.js; @param assetsDirectory of etcd and kube-apiserver. */
export async function startFleet(options: {
  readonly bundle: string;
  readonly assetsDirectory: string;
  readonly rulesFile: string;
}): Promise<Fleet> {
  await using resources = new AsyncDisposableStack();
  const root = mkdtempSync(join(tmpdir(), 'basekeeper-fleet-'));
  resources.defer(() => rmSync(root, { recursive: true, force: true }));
  const api = await startApiServer({ assetsDirectory: options.assetsDirectory, crds: [VMI_DEFINITION] });
  resources.defer(async () => await api.stop());
  const targets = [];
  for (const node of NODES) {
    const port = await freePort();
    const directory = join(root, node.name);
    await prepareNode(api, node, directory, port);
    const agent = startAgent(options.bundle, {
      root: directory,
      configPath: join(directory, 'config.yaml'),
      kubeconfigPath: api.kubeconfigPath,
    });
    resources.defer(async () => void (await agent.stop()));
    targets.push({ address: `127.0.0.1:${port}`, labels: { cluster: 'production', node: node.name } });
  }
  const prometheus = await startPrometheus(root, targets, options.rulesFile);
  resources.defer(async () => await prometheus.stop());
  const started = resources.move();
  let added = 0;
  return {
    prometheus,
    addUnusedFile: () => writeBaseFile(join(root, 'node-a', 'instances', '_base'), `added-${added++}`, 2 + (added % 5), 3),
    [Symbol.asyncDispose]: async () => await started.disposeAsync(),
  };
}

async function prepareNode(api: ApiServer, node: NodeSpec, directory: string, port: number): Promise<void> {
  const instancesPath = join(directory, 'instances');
  const basePath = join(instancesPath, '_base');
  mkdirSync(basePath, { recursive: true });
  await api.request('POST', '/api/v1/nodes', { metadata: { name: node.name } });
  for (let index = 0; index < node.files; index++) {
    const image = `${node.name}-image-${index}`;
    const path = writeBaseFile(basePath, image, 3 + 2 * index, index === 0 ? 0 : 2 + index);
    if (index < node.unused) continue;
    const instance = `instance-${index}`;
    mkdirSync(join(instancesPath, instance));
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', path, join(instancesPath, instance, 'disk'), '1G']);
    const annotations = { 'basekeeper.io/image-ref': image, 'basekeeper.io/instance': instance };
    await api.request('POST', '/api/v1/namespaces/default/pods', pod(`${node.name}-${instance}`, node.name, annotations, instancesPath));
  }
  // Mounts the instances path, and nothing says which images it uses.
  if (node.held) await api.request('POST', '/api/v1/namespaces/default/pods', pod(`${node.name}-unknown`, node.name, {}, instancesPath));
  const settings = { nodeName: node.name, mode: node.mode, instancesPath, intervalSeconds: 5, jitterSeconds: 0 };
  const verify = { enabled: true, checksums: { enabled: true } };
  // The cache of node-a is within it, that of node-b is not, and in a dry run nothing goes.
  const budget = { maxBytes: '64Mi' };
  const pins = { wantedImages: [`${node.name}-image-2`, `${node.name}-image-3`, `${node.name}-not-there`] };
  const limits = node.held ? {} : { budget, pins };
  writeFileSync(join(directory, 'config.yaml'), stringify({ ...settings, ...limits, verify, http: { address: '127.0.0.1', port } }));
}

function writeBaseFile(basePath: string, imageId: string, sizeMib: number, ageDays: number): string {
  const path = join(basePath, createHash('sha1').update(imageId).digest('hex'));
  writeFileSync(path, Buffer.alloc(sizeMib * MIB, imageId));
  const modifiedAt = Date.now() / 1000 - ageDays * DAY;
  utimesSync(path, modifiedAt, modifiedAt);
  return path;
}

function pod(name: string, nodeName: string, annotations: Readonly<Record<string, string>>, hostPath: string): object {
  const volumes = [{ name: 'instances', hostPath: { path: hostPath } }];
  const volumeMounts = [{ name: 'instances', mountPath: hostPath }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: { nodeName, containers: [{ name: 'vm', image: 'registry.example/qemu:9', volumeMounts }], volumes },
  };
}
