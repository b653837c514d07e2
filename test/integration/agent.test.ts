import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../scripts/lib/free-port.ts';
import { kubeAssetsDirectory } from '../../scripts/lib/kube-assets.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { createAgent } from '../../src/wire/commands.ts';
import { asAdmin, deleteAsAdmin, startKubeServer, type KubeServer } from '../helpers/kube-server.ts';
import { DAY, buildTree, type Tree } from '../helpers/tree.ts';

const NODE = 'node-a';
const USED = cacheFileName('used-image');
const UNUSED = cacheFileName('unused-image');
const BACKING = cacheFileName('backing-image');
/** See src/execute/batches.ts. */
const LARGEST_BATCH = 1024;
const old = { ageSeconds: 3 * DAY, content: 'x'.repeat(4096) };

let server: KubeServer;
let tree: Tree;
let running: { stop: () => Promise<void>; port: number; pagesPort: number; log: string[] } | undefined;

const annotationsOf = async (): Promise<Record<string, string>> => {
  const node = (await asAdmin(server, 'GET', `/api/v1/nodes/${NODE}`)) as { metadata: { annotations?: Record<string, string> } };
  return node.metadata.annotations ?? {};
};
const annotate = async (annotations: Record<string, string | null>): Promise<void> => {
  const args = Object.entries(annotations).map(([key, value]) => (value === null ? `${key}-` : `${key}=${value}`));
  kubectl('annotate', '--overwrite', 'node', NODE, ...args);
};
const kubectl = (...args: string[]): string =>
  execFileSync(join(kubeAssetsDirectory() ?? '', 'kubectl'), ['--kubeconfig', server.kubeconfigPath, ...args], { encoding: 'utf8' });
const createNode = (): Promise<unknown> => asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name: NODE } });
const metric = async (line: RegExp): Promise<string | undefined> =>
  line.exec(await (await fetch(`http://127.0.0.1:${running?.port}/metrics`)).text())?.[1];
const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 60_000, interval: 100 });

/** The agent as `basekeeper agent` runs it, in this process. */
async function startAgent(settings: SettingsInput = {}): Promise<void> {
  const port = await freePort();
  const values: SettingsInput = {
    nodeName: NODE,
    mode: 'enforce',
    instancesPath: tree.instancesPath,
    intervalSeconds: 3600,
    jitterSeconds: 0,
    http: { address: '127.0.0.1', port },
    ...settings,
  };
  const { config, errors } = loadConfig({ overrides: [{ origin: 'test', values }] });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  vi.stubEnv('KUBECONFIG', server.kubeconfigPath);
  const log: string[] = [];
  const logger = createLogger({ destination: { write: (line) => log.push(line) } });
  const stop = new AbortController();
  const agent = await createAgent(config, { logger });
  const done = agent.run(stop.signal);
  running = { port, pagesPort: port + 1, log, stop: async () => (stop.abort(), done) };
}

function pod(name: string, annotations: Record<string, string>): unknown {
  return {
    metadata: { name, namespace: 'default', annotations },
    spec: {
      nodeName: NODE,
      volumes: [{ name: 'instances', hostPath: { path: '/' } }],
      containers: [{ name: 'vm', image: 'vm', volumeMounts: [{ name: 'instances', mountPath: '/instances' }] }],
      automountServiceAccountToken: false,
    },
  };
}

beforeAll(async () => {
  server = await startKubeServer();
  await eventually(() => asAdmin(server, 'GET', '/api/v1/namespaces/default/serviceaccounts').then(() => undefined));
  await asAdmin(server, 'POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
});
afterAll(async () => await server.stop());
afterEach(async () => {
  await running?.stop();
  running = undefined;
  vi.unstubAllEnvs();
  await deleteAsAdmin(server, `/api/v1/nodes/${NODE}`);
  await deleteAsAdmin(server, '/api/v1/namespaces/default/pods/vm-1');
  tree.cleanup();
});

async function world(): Promise<void> {
  tree = buildTree({
    [`_base/${USED}`]: old,
    [`_base/${UNUSED}`]: old,
    [`_base/${BACKING}`]: old,
    '_base/ubuntu.iso': old,
    'unknown-vm/disk': { qcow2: { backingFile: `{instances}/_base/${BACKING}`, backingFormat: 'raw' } },
  });
  await createNode();
  await asAdmin(
    server,
    'POST',
    '/api/v1/namespaces/default/pods',
    pod('vm-1', { 'basekeeper.io/image-ref': 'used-image', 'basekeeper.io/instance': 'vm-1' }),
  );
}

describe('the agent on a real API server', () => {
  it('should remove exactly what nothing uses, and show it on the node, in events and in metrics', async () => {
    await world();
    await startAgent();
    await eventually(() => expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(false));
    expect([USED, BACKING, 'ubuntu.iso'].map((name) => existsSync(tree.path(`_base/${name}`)))).toEqual([true, true, true]);
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('Succeeded'));
    expect((await annotationsOf())['basekeeper.io/summary']).toBe('3 base files, 12.0 KiB; 1 removed, 4.0 KiB');
    // The heartbeat of an hour, and two intervals.
    expect(JSON.parse((await annotationsOf())['basekeeper.io/cache'] ?? '')).toMatchObject({ silentAfter: 10_800 });
    await eventually(() => expect(kubectl('describe', 'node', NODE)).toMatch(/BaseFilesRemoved/));
    expect(kubectl('describe', 'node', NODE)).toMatch(/basekeeper\.io\/last-pass: {1,}20/);
    expect(await metric(/^basekeeper_removed_files_total\{kind="original"\} (\d+)/m)).toBe('1');
    expect(await metric(/^basekeeper_mode\{mode="enforce"\} (\d+)/m)).toBe('1');
    expect((await fetch(`http://127.0.0.1:${running?.port}/readyz`)).status).toBe(200);
  });

  it("should obey the node's mode and answer run-now with its value", async () => {
    await world();
    await annotate({ 'basekeeper.io/mode': 'dry-run' });
    await startAgent();
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('DryRun'));
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(true);
    await annotate({ 'basekeeper.io/run-now': 'ticket-4711' });
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/run-now-done']).toBe('ticket-4711'));
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(true);
    await annotate({ 'basekeeper.io/mode': 'off', 'basekeeper.io/run-now': 'ticket-4712' });
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/run-now-done']).toBe('ticket-4712'));
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('Skipped'));
    await annotate({ 'basekeeper.io/mode': null });
    await eventually(() => expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(false));
  });

  it('should end a running pass within a batch when the mode becomes less than enforce, and say so', async () => {
    await world();
    const many = Array.from({ length: 3000 }, (_, index) => `_base/${cacheFileName(`unused-${index}`)}`);
    tree.add(Object.fromEntries(many.map((name) => [name, { ageSeconds: 3 * DAY }])));
    const left = (): number => many.filter((name) => existsSync(tree.path(name))).length;
    await startAgent({ maxRemovalsPerPass: 0 });
    await vi.waitFor(() => expect(left()).toBeLessThan(many.length), { timeout: 60_000, interval: 1 });
    // The pass stands still meanwhile: it runs in this thread.
    await annotate({ 'basekeeper.io/mode': 'dry-run' });
    const before = left();
    expect(before).toBeGreaterThan(2000);
    const told = 'because the mode of this node became dry-run';
    await eventually(() => expect(kubectl('describe', 'node', NODE)).toMatch(new RegExp(`PassFailed.*${told}`)));
    expect(before - left()).toBeLessThanOrEqual(LARGEST_BATCH);
    expect(left()).toBeGreaterThan(1000);
    const lines = running?.log ?? [];
    expect(lines.some((line) => line.includes('"result":"Failed"') && line.includes(told))).toBe(true);
    expect(lines.filter((line) => line.includes('Abandoned')).length).toBeLessThan(2);
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('DryRun'));
  });

  it('should follow its node when it is deleted and created again', async () => {
    await world();
    await startAgent({ mode: 'dry-run' });
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('DryRun'));
    await deleteAsAdmin(server, `/api/v1/nodes/${NODE}`);
    await createNode();
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('DryRun'));
  });

  it('should write nothing when nothing changed', async () => {
    await world();
    await startAgent({ mode: 'dry-run', intervalSeconds: 1 });
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('DryRun'));
    const writes = () => metric(/^basekeeper_api_requests_total\{verb="patch",code="200"\} (\d+)/m);
    const passes = async () => Number(await metric(/^basekeeper_passes_total\{result="DryRun"\} (\d+)/m));
    const [before, passesBefore] = [await writes(), await passes()];
    await eventually(async () => expect(await passes()).toBeGreaterThan(passesBefore + 3));
    expect(await writes()).toBe(before);
  });

  it('should hold removals while the API server is down, and go on when it is back', async () => {
    await world();
    await annotate({ 'basekeeper.io/mode': 'dry-run' });
    await startAgent({ intervalSeconds: 1 });
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('DryRun'));
    await annotate({ 'basekeeper.io/mode': 'enforce' });
    await eventually(() => expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(false));
    await server.stopApiServer();
    tree.add({ [`_base/${UNUSED}`]: old });
    await eventually(async () => expect(await metric(/^basekeeper_passes_total\{result="Held"\} (\d+)/m)).not.toBe('0'));
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(true);
    await server.startApiServer();
    await vi.waitFor(() => expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(false), { timeout: 120_000, interval: 200 });
  });

  it("should keep what the node's annotation or a labelled ConfigMap pins, and let go when the pins go", async () => {
    await world();
    const second = cacheFileName('second-image');
    tree.add({ [`_base/${second}`]: old });
    await annotate({ 'basekeeper.io/pin': 'unused-image' });
    const maps = '/api/v1/namespaces/default/configmaps';
    await asAdmin(server, 'POST', maps, {
      metadata: { name: 'golden', labels: { 'basekeeper.io/pins': '' } },
      data: { imageRefs: 'second-image' },
    });
    vi.stubEnv('POD_NAMESPACE', 'default');
    await startAgent({ pins: { configMaps: { enabled: true } }, intervalSeconds: 1 });
    await eventually(async () => expect((await annotationsOf())['basekeeper.io/result']).toBe('Succeeded'));
    const rows = async () =>
      (
        (await (await fetch(`http://127.0.0.1:${running?.pagesPort}/report`)).json()) as {
          files: { name: string; usedBy: { by: string }[] }[];
        }
      ).files;
    const pinnedBy = async (name: string) => (await rows()).find((row) => row.name === name)?.usedBy.map(({ by }) => by);
    expect(await pinnedBy(UNUSED)).toEqual(['annotation basekeeper.io/pin']);
    expect(await pinnedBy(second)).toEqual(['ConfigMap default/golden']);
    await annotate({ 'basekeeper.io/pin': null });
    await deleteAsAdmin(server, `${maps}/golden`);
    await eventually(() => expect([UNUSED, second].map((name) => existsSync(tree.path(`_base/${name}`)))).toEqual([false, false]));
  });

  it('should keep the images that are wanted on its node, and say which it has', async () => {
    await world();
    await annotate({ 'basekeeper.io/wanted': 'unused-image, absent-image' });
    await startAgent({ intervalSeconds: 1 });
    const said = async () => (await annotationsOf())['basekeeper.io/wanted-images'];
    await eventually(async () => expect(await said()).toBe('{"present":1,"missing":["absent-image"]}'));
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(true);
    expect(await metric(/^basekeeper_wanted_images\{state="missing"\} (\d+)/m)).toBe('1');
    await annotate({ 'basekeeper.io/wanted': null });
    await eventually(() => expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(false));
    await eventually(async () => expect(await said()).toBe('{"present":0,"missing":[]}'));
  });

  it('should say why it cannot start when its port is taken', async () => {
    await world();
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    await startAgent({ http: { address: '127.0.0.1', port } });
    const failure = running?.stop();
    running = undefined;
    await expect(failure).rejects.toThrow(String(port));
    await new Promise((resolve) => taken.close(resolve));
  });
});
