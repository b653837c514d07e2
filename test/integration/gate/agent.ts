import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { SettingsInput } from '../../../src/config/schema/schema.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import type { GateReason } from '../../../src/model/reasons.ts';
import { cacheFileName } from '../../../src/model/names.ts';
import { createAgent } from '../../../src/wire/commands.ts';
import { freePort } from '../../../scripts/lib/free-port.ts';
import type { HttpProxy } from '../../helpers/fault-proxy.ts';
import { asAdmin, deleteAsAdmin, type KubeAccess } from '../../helpers/kube-server.ts';
import { DAY, buildTree, type Tree } from '../../helpers/tree.ts';

const NODE = 'node-a';
export const USED = cacheFileName('used-image');
const BACKING = cacheFileName('backing-image');
const UNUSED = cacheFileName('unused-image');
const PODS = '/api/v1/namespaces/default/pods';
const old = { ageSeconds: 3 * DAY, content: 'x'.repeat(4096) };
/** A limit for what hangs, not for what is slow. */
const PATIENCE = { timeout: 90_000, interval: 100 };

/** A node with its VM, its cache and the agent as `basekeeper agent` runs it, in this process, behind a proxy that a test can make fail. */
export interface Node {
  readonly tree: Tree;
  /** Asks for a pass and sees that it is held for this reason, in annotation, event and metric, and that nothing went. */
  seeClosed(reason: GateReason): Promise<void>;
  /** Asks for a pass and sees that the gate is open, in annotation and metric, and that the unused file went. */
  seeOpen(reason: GateReason): Promise<void>;
  /** Asks for a pass, whatever comes of it. */
  pass(): Promise<void>;
  stop(): Promise<void>;
}

export function vm(name: string, more: object = {}): object {
  return {
    metadata: { name, namespace: 'default', annotations: { 'basekeeper.io/image-ref': 'used-image', 'basekeeper.io/instance': name } },
    spec: {
      nodeName: NODE,
      volumes: [{ name: 'instances', hostPath: { path: '/' } }],
      containers: [{ name: 'vm', image: 'vm', volumeMounts: [{ name: 'instances', mountPath: '/instances' }] }],
      automountServiceAccountToken: false,
      ...more,
    },
  };
}

export const createPod = async (access: KubeAccess, pod: object): Promise<unknown> => await asAdmin(access, 'POST', PODS, pod);
export const deletePod = async (access: KubeAccess, name: string): Promise<void> => await deleteAsAdmin(access, `${PODS}/${name}`);

export async function startNode(access: KubeAccess, proxy: HttpProxy): Promise<Node> {
  const tree = buildTree({
    [`_base/${USED}`]: old,
    [`_base/${BACKING}`]: old,
    'unknown-vm/disk': { qcow2: { backingFile: `{instances}/_base/${BACKING}`, backingFormat: 'raw' } },
  });
  const { metadata } = (await asAdmin(access, 'POST', '/api/v1/nodes', { metadata: { name: NODE } })) as { metadata: { uid: string } };
  await createPod(access, vm('vm-1'));
  const agent = await startAgent(tree, proxy);
  const stop = async (): Promise<void> => {
    try {
      await agent.stop();
    } finally {
      await deletePod(access, 'vm-1');
      await deleteAsAdmin(access, `/api/v1/nodes/${NODE}`);
      tree.cleanup();
    }
  };
  const see = { access, tree, uid: metadata.uid, port: agent.port };
  try {
    // Its first pass has nothing to remove.
    await vi.waitFor(async () => expect((await annotations(access))['basekeeper.io/result']).toBe('Succeeded'), PATIENCE);
  } catch (error) {
    // The next test starts with a node of its own, whatever became of this one.
    await stop();
    throw error;
  }
  tree.add({ [`_base/${UNUSED}`]: old });
  return {
    tree,
    seeClosed: async (reason) => await seeClosed(see, reason),
    seeOpen: async (reason) => await seeOpen(see, reason),
    pass: async () => void (await runNow(access)),
    stop,
  };
}

async function startAgent(tree: Tree, proxy: HttpProxy): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await freePort();
  const values: SettingsInput = {
    nodeName: NODE,
    mode: 'enforce',
    instancesPath: tree.instancesPath,
    intervalSeconds: 86_400,
    jitterSeconds: 0,
    http: { address: '127.0.0.1', port },
  };
  const { config, errors } = loadConfig({ overrides: [{ origin: 'test', values }] });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  const kubeconfig = tree.path('../kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(proxy));
  vi.stubEnv('KUBECONFIG', kubeconfig);
  const stop = new AbortController();
  const agent = await createAgent(config, { logger: createLogger({ destination: { write: () => undefined } }) });
  const done = agent.run(stop.signal);
  return { port, stop: async () => (stop.abort(), await done) };
}

function kubeconfigOf({ url, caPem }: HttpProxy): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') } }],
    users: [{ name: 'test', user: { token: 'secret' } }],
  });
}

interface Seen {
  readonly access: KubeAccess;
  readonly tree: Tree;
  readonly uid: string;
  readonly port: number;
}

async function seeClosed({ access, tree, uid, port }: Seen, reason: GateReason): Promise<void> {
  const told = await runNow(access);
  expect(told['basekeeper.io/result']).toBe('Held');
  expect(told['basekeeper.io/summary']).toMatch(new RegExp(`held: .*\\b${reason}\\b`));
  expect((JSON.parse(told['basekeeper.io/cache'] ?? '') as { held: string[] }).held).toContain(reason);
  expect(await gateMetric(port, reason)).toBe('1');
  await vi.waitFor(async () => expect(await heldEvents(access, uid)).toContainEqual(expect.stringContaining(`${reason}: `)), PATIENCE);
  expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(true);
}

async function seeOpen({ access, tree, port }: Seen, reason: GateReason): Promise<void> {
  const told = await runNow(access);
  expect(told['basekeeper.io/summary']).not.toContain('held');
  expect(told['basekeeper.io/result']).toBe('Succeeded');
  expect((JSON.parse(told['basekeeper.io/cache'] ?? '') as { held: string[] }).held).toEqual([]);
  expect(await gateMetric(port, reason)).toBe('0');
  expect([USED, BACKING, UNUSED].map((name) => existsSync(tree.path(`_base/${name}`)))).toEqual([true, true, false]);
}

/** Asks for a pass, and resolves with what the node says once it is over. */
async function runNow(access: KubeAccess): Promise<Record<string, string>> {
  const value = randomUUID();
  await patchNode(access, { 'basekeeper.io/run-now': value });
  return await vi.waitFor(async () => {
    const told = await annotations(access);
    expect(told['basekeeper.io/run-now-done']).toBe(value);
    return told;
  }, PATIENCE);
}

async function annotations(access: KubeAccess): Promise<Record<string, string>> {
  const node = (await asAdmin(access, 'GET', `/api/v1/nodes/${NODE}`)) as { metadata: { annotations?: Record<string, string> } };
  return node.metadata.annotations ?? {};
}

/** As `kubectl annotate` does, whatever the agent writes meanwhile. */
async function patchNode(access: KubeAccess, added: Record<string, string>): Promise<void> {
  await vi.waitFor(async () => {
    const node = (await asAdmin(access, 'GET', `/api/v1/nodes/${NODE}`)) as { metadata: { annotations?: Record<string, string> } };
    const metadata = { ...node.metadata, annotations: { ...node.metadata.annotations, ...added } };
    await asAdmin(access, 'PUT', `/api/v1/nodes/${NODE}`, { ...node, metadata });
  }, PATIENCE);
}

async function gateMetric(port: number, reason: GateReason): Promise<string | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return new RegExp(`^basekeeper_gate_closed\\{reason="${reason}"\\} (\\d)`, 'm').exec(text)?.[1];
}

async function heldEvents(access: KubeAccess, uid: string): Promise<string[]> {
  const { items } = (await asAdmin(access, 'GET', '/apis/events.k8s.io/v1/namespaces/default/events')) as {
    items: { reason: string; note: string; regarding: { uid: string } }[];
  };
  return items.filter((event) => event.reason === 'RemovalHeld' && event.regarding.uid === uid).map(({ note }) => note);
}
