import { vi } from 'vitest';
import { createKubeClient } from '../../src/kube/client/client.ts';
import type { ConnectionTiming } from '../../src/kube/client/connection.ts';
import { createOwnNode } from '../../src/kube/own-node.ts';
import { createReconnect } from '../../src/kube/watch/reconnect.ts';
import type { ReflectorTiming } from '../../src/kube/watch/timing.ts';
import type { KubeClient } from '../../src/kube/types.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { asNumber, at, field } from '../../src/lib/json.ts';
import type { Clock, WorkloadSource } from '../../src/model/ports.ts';
import { createPodSource } from '../../src/sources/pods/source.ts';
import { createVmiSource } from '../../src/sources/vmis/source.ts';
import { adminKubeConfig, asAdmin, type KubeAccess } from './kube-server.ts';
import type { KubeObject } from './memory-api-server.ts';
import { POD_RULES } from './kube-objects.ts';

/** As the real ones, but so short that a test need not wait. */
export const SHORT: Partial<ReflectorTiming> = { minDelayMs: 20, maxDelayMs: 200, reconnectSpreadMs: 100, absentProbeMs: [100, 200] };

/** From then on pods can be made in the namespace `default`: the controllers that would see to that do not run here. */
export async function allowPods(access: KubeAccess): Promise<void> {
  await vi.waitFor(async () => await asAdmin(access, 'GET', '/api/v1/namespaces/default'), { timeout: 60_000 });
  await asAdmin(access, 'POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
}

/** The Kubernetes side of an agent on one node, against a real API server. */
export function startKubeSide(
  access: KubeAccess,
  options: {
    readonly nodeName: string;
    /** Of a proxy before the API server. */
    readonly url?: string;
    readonly timing?: Partial<ReflectorTiming>;
    readonly connection?: Partial<ConnectionTiming>;
    /** Default: the machine's. */
    readonly clock?: Clock;
    /** Default false: the volumes of claims are not looked up. */
    readonly readsClaims?: boolean;
  },
) {
  const requests: string[] = [];
  const errorEvents: number[] = [];
  const plain = createKubeClient({
    kubeConfig: () => adminKubeConfig(access, options.url),
    userAgent: 'basekeeper/test',
    observe: (verb, code) => requests.push(`${verb} ${code}`),
    timing: options.connection,
  });
  const client: KubeClient = {
    ...plain,
    stream: async function* (request) {
      for await (const line of plain.stream(request)) {
        if (field(line, 'type') === 'ERROR') errorEvents.push(asNumber(at(line, 'object', 'code')) ?? 0);
        yield line;
      }
    },
  };
  const timing = { ...SHORT, ...options.timing };
  const shared = {
    client,
    nodeName: options.nodeName,
    instancesPath: '/var/lib/nova/instances',
    clock: options.clock ?? systemClock,
    random: Math.random,
    timing,
    reconnect: createReconnect(() => systemClock.now().monotonicMs, Math.random),
  };
  const vmis = createVmiSource(shared);
  const pods = createPodSource({ ...shared, ...POD_RULES, vmis, readsClaims: options.readsClaims });
  const node = createOwnNode(shared);
  for (const part of [vmis, pods, node]) part.start();
  return {
    client,
    vmis,
    pods,
    node,
    /** Finished requests, such as `list 200`. */
    requests,
    /** Codes of the errors that came inside of a watch: the API server answers 200 before it looks for the past. */
    errorEvents,
    stop: async (): Promise<void> => {
      await Promise.all([vmis.stop(), pods.stop(), node.stop()]);
      client.close();
    },
  };
}

/** Names of the workloads that refer to the image, as the watch has them. */
export async function usersOf(source: WorkloadSource, image: string): Promise<string[]> {
  const { workloads } = await source.read({ consistent: false });
  return workloads.filter(({ images }) => images.some(({ ref }) => ref === image)).map(({ name }) => name);
}

/** Asks again until the assertion holds. */
export async function eventually(assertion: () => Promise<void> | void, timeoutMs = 20_000): Promise<void> {
  await vi.waitFor(assertion, { timeout: timeoutMs, interval: 50 });
}

const COLLECTIONS: Readonly<Record<string, string>> = { pods: '/api/v1', virtualmachineinstances: '/apis/kubevirt.io/v1' };

function collection(resource: string, namespace: string): string {
  return `${COLLECTIONS[resource]}/namespaces/${namespace}/${resource}`;
}

/** Creates a pod or VMI from an object of kube-objects.ts; the API server gives it its UID, which is returned. */
export async function create(access: KubeAccess, resource: string, object: KubeObject): Promise<string> {
  const { uid: _uid, ...metadata } = object.metadata;
  const namespace = metadata.namespace ?? 'default';
  const created = await asAdmin(access, 'POST', collection(resource, namespace), { ...object, metadata });
  return (created as { metadata: { uid: string } }).metadata.uid;
}

/** Replaces labels and annotations of an object, whatever its version. */
export async function relabel(
  access: KubeAccess,
  resource: string,
  name: string,
  metadata: Partial<KubeObject['metadata']>,
): Promise<void> {
  const path = `${collection(resource, 'default')}/${name}`;
  const current = (await asAdmin(access, 'GET', path)) as KubeObject;
  await asAdmin(access, 'PUT', path, { ...current, metadata: { ...current.metadata, ...metadata } });
}
