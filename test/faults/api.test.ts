import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runPass, type PassOptions } from '../../src/pass/pass.ts';
import type { Clock } from '../../src/model/ports.ts';
import { passParts } from '../../src/wire/pass.ts';
import { startHttpProxy, type Fault, type HttpProxy } from '../helpers/fault-proxy.ts';
import { podObject } from '../helpers/kube-objects.ts';
import { deleteAsAdmin, type KubeServer, startKubeServer } from '../helpers/kube-server.ts';
import { allowPods, create, eventually, startKubeSide } from '../helpers/kube-sources.ts';
import { configOf } from './config.ts';
import { buildWorld, damages, leftOver, type World } from './world.ts';

const NODE = 'node-a';
let server: KubeServer;
let proxy: HttpProxy;
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  server = await startKubeServer();
  proxy = await startHttpProxy(server);
  await allowPods(server);
});
afterAll(async () => {
  await proxy.close();
  await server.stop();
});
afterEach(async () => {
  proxy.fault = () => undefined;
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const status = (code: number, more: object = {}): Fault => ({
  status: code,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ kind: 'Status', status: 'Failure', code, message: `no: ${code}`, ...more }),
});

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['401', status(401)],
  ['403', status(403, { reason: 'Forbidden' })],
  ['409', status(409, { reason: 'Conflict' })],
  ['410', status(410, { reason: 'Expired' })],
  ['429 with Retry-After', { status: 429, headers: { 'retry-after': '1' }, body: '{"kind":"Status","reason":"TooManyRequests"}' }],
  ['500', status(500)],
  [
    'truncated JSON',
    { status: 200, body: '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"na' },
  ],
  ['a page of a load balancer', { status: 200, body: '<html>It works!</html>' }],
  ['an answer of another kind', { status: 200, body: '{"status":"ok"}\n' }],
  ['a connection that breaks', 'reset'],
  ['silence', { trickle: '', everyMs: 1000 }],
  ['a stream that never completes anything', { trickle: ' ', everyMs: 20 }],
];

const asksForPods = (line: string): boolean => line.startsWith('GET /api/v1/pods?');
const isWatch = (line: string): boolean => asksForPods(line) && line.includes('watch=true');
const fail = (fault: Fault): void => {
  proxy.fault = (line) => (asksForPods(line) ? fault : undefined);
  proxy.breakStreams(asksForPods);
};
const fix = (): void => {
  proxy.fault = () => undefined;
  // What hangs would hang until its time is over.
  proxy.breakStreams(asksForPods);
};

/** A node's cache, and passes over it whose workloads come from a real API server behind the proxy. */
async function keeper(options: { readonly clock?: Clock } = {}) {
  const world = buildWorld({ unused: 2 });
  // The file's workloads are the API server's here.
  for (const image of ['referenced-a', 'referenced-b']) await putPod(`vm-of-${image}`, image);
  const kubeconfig = { rest: { ...server.rest, caPem: proxy.caPem }, kubeconfigPath: server.kubeconfigPath };
  const timing = { watchSeconds: [2, 3], idleTimeoutMs: 1500, watchGraceMs: 500, maxDelayMs: 300 } as const;
  const side = startKubeSide(kubeconfig, { nodeName: NODE, url: proxy.url, timing, ...options });
  const parts = passParts(configOf(pathsOf(world)), [side.pods, side.vmis], options.clock);
  cleanups.push(async () => {
    await side.stop();
    world[Symbol.dispose]();
  });
  const pass = async (more: Partial<PassOptions> = {}) => {
    const { result, gate, totals } = await runPass(parts, { dryRun: false, signal: AbortSignal.timeout(20_000), ...more });
    return { result, reasons: gate.reasons.map(({ reason }) => reason), removed: totals.removedFiles };
  };
  return { world, pass, pods: side.pods };
}

const pathsOf = ({ tree, workloadsPath }: World) => ({ instancesPath: tree.instancesPath, workloadsPath });

async function putPod(name: string, image: string): Promise<void> {
  await create(server, 'pods', podObject({ name, node: NODE, annotations: { 'basekeeper.io/image-ref': image } }));
  cleanups.push(async () => await deleteAsAdmin(server, `/api/v1/namespaces/default/pods/${name}`));
}

/** A pass that finds evidence incomplete, or gives up for it: nothing may go. */
async function expectNothingToGo({ world, pass }: Awaited<ReturnType<typeof keeper>>): Promise<void> {
  const { result, removed } = await pass({ signal: AbortSignal.timeout(3000) });
  expect(removed).toBe(0);
  expect(['Held', 'Failed']).toContain(result);
  expect(leftOver(world)).toEqual(world.unused);
}

/** Without a restart: what came to be used meanwhile stays, the other file goes. */
async function expectRecovery({ world, pass }: Awaited<ReturnType<typeof keeper>>): Promise<void> {
  await eventually(async () => {
    await pass();
    expect(leftOver(world)).toEqual([world.unused[0]]);
  }, 90_000);
  expect(damages(world)).toEqual([]);
}

describe.each(FAULTS)('an API server that answers with %s', (_what, fault) => {
  it('from the start should let nothing go, and be no reason for a restart', async () => {
    fail(fault);
    const kept = await keeper();
    await putPod('vm-of-unused-0', 'unused-0');
    await expectNothingToGo(kept);
    fix();
    await expectRecovery(kept);
  });

  it('in the middle of a pass should let nothing go, and be over with it', async () => {
    const kept = await keeper();
    await eventually(async () => expect((await kept.pods.read({ consistent: false })).status.state).toBe('synced'));
    const { removed } = await kept.pass({ signal: AbortSignal.timeout(5000), onStage: (stage) => stage === 'references' && fail(fault) });
    expect(removed).toBe(0);
    await putPod('vm-of-unused-0', 'unused-0');
    await expectNothingToGo(kept);
    fix();
    await expectRecovery(kept);
  });
});

describe('a watch', () => {
  it.each<[string, Fault]>([
    ['stalls in silence', { trickle: '', everyMs: 1000 }],
    ['trickles on and never completes an event', { trickle: ' ', everyMs: 20 }],
  ])('that %s should be given up and replaced, without a list that somebody asks for', async (_how, fault) => {
    const { pods } = await keeper();
    await eventually(async () => expect((await pods.read({ consistent: false })).status.state).toBe('synced'));
    let faults = 1;
    proxy.fault = (line) => (isWatch(line) && faults-- > 0 ? fault : undefined);
    proxy.breakStreams(isWatch);
    await eventually(() => expect(faults).toBeLessThan(1));
    await putPod('late', 'late-image');
    await eventually(async () => {
      const { workloads } = await pods.read({ consistent: false });
      expect(workloads.map(({ name }) => name)).toContain('default/late');
    }, 60_000);
  });

  it('that is very slow should bring everything anyway', async () => {
    proxy.fault = (line) => (asksForPods(line) ? { bytesAtATime: 200, everyMs: 5 } : undefined);
    const kept = await keeper();
    await putPod('vm-of-unused-0', 'unused-0');
    await expectRecovery(kept);
  });
});

describe('an API server that is away for an hour', () => {
  it('should let nothing go, by the clocks of the agent', async () => {
    let laterMs = 0;
    const clock: Clock = { now: () => ({ wallMs: Date.now() + laterMs, monotonicMs: performance.now() + laterMs }) };
    const kept = await keeper({ clock });
    await eventually(async () => expect((await kept.pods.read({ consistent: false })).status.state).toBe('synced'));
    fail('reset');
    laterMs = 3_600_000;
    await putPod('vm-of-unused-0', 'unused-0');
    expect(await kept.pass()).toEqual({ result: 'Held', reasons: ['SourceStale', 'ConsistentListMissing'], removed: 0 });
    fix();
    await expectRecovery(kept);
  });

  it('should let nothing go on what an old list says, when the clock was set back meanwhile', async () => {
    let setByMs = 0;
    const clock: Clock = { now: () => ({ wallMs: Date.now() + setByMs, monotonicMs: performance.now() }) };
    const kept = await keeper({ clock });
    // A pass that takes a consistent list: of a world in which nothing uses the two files.
    await eventually(async () => expect((await kept.pass()).removed).toBe(2), 60_000);
    const { world } = kept;
    for (const name of world.unused) writeFileSync(world.tree.path(`_base/${name}`), name.repeat(100));
    for (const name of world.unused) execFileSync('touch', ['-d', '4 days ago', world.tree.path(`_base/${name}`)]);
    fail('reset');
    setByMs = -86_400_000;
    await putPod('vm-of-unused-0', 'unused-0');
    // The list of before lies a day ahead on the clock as it goes now, and the last contact as well.
    expect(await kept.pass()).toMatchObject({ result: 'Held', removed: 0 });
    expect(leftOver(world)).toEqual(world.unused);
    fix();
    await expectRecovery(kept);
  });
});
