import { describe, expect, it } from 'vitest';
import { runPass, type PassOptions, type PassParts } from '../../../src/pass/pass.ts';
import type { Overlay } from '../../../src/model/overlay.ts';
import type { Plan } from '../../../src/model/plan.ts';
import type { Stage } from '../../../src/model/report.ts';
import type { FileOutcome, UseCheck, WorkloadSource } from '../../../src/model/ports.ts';
import type { Workload } from '../../../src/model/workload.ts';
import { DIGEST, IMAGE, NOW_MS, POLICY, baseFile, snapshot, synced, workload } from '../../helpers/snapshot.ts';

interface World {
  workloads: Workload[];
  overlays: Overlay[];
  listed: boolean;
}

/** A world that can change between the stages, and a record of what was asked in which order. */
function harness(world: World, over: Partial<PassParts> = {}) {
  const calls: string[] = [];
  const executed: Plan[] = [];
  let useCheck: UseCheck | undefined;
  const source: WorkloadSource = {
    name: 'file',
    start: () => undefined,
    stop: () => Promise.resolve(),
    read: ({ consistent }) => {
      calls.push(consistent ? 'list' : 'read');
      world.listed ||= consistent;
      return Promise.resolve({
        status: synced({ consistentListAtMs: world.listed ? NOW_MS : undefined }),
        workloads: world.workloads,
        gaps: [],
      });
    },
  };
  const parts: PassParts = {
    node: 'node-a',
    policy: POLICY,
    basePath: '/var/lib/nova/instances/_base',
    baseDirectoryName: '_base',
    sources: [source],
    scanner: {
      scan: () => {
        calls.push('scan');
        return Promise.resolve({ ...snapshot().scan, files: [baseFile()] });
      },
    },
    overlays: {
      scan: () => {
        calls.push('overlays');
        const unreadable = world.overlays.filter(({ state }) => state === 'unreadable');
        const unseen = unreadable.map(({ path, message = '' }) => ({ path, cause: 'NotUnderstood' as const, message }));
        return Promise.resolve({ overlays: world.overlays, baseImages: [], unseen, ignored: [], headersRead: 0, headersCached: 0 });
      },
    },
    executor: {
      execute: (plan, inUse) => {
        calls.push('execute');
        executed.push(plan);
        useCheck = inUse;
        const outcome = (name: string): [string, FileOutcome] => [name, { name, outcome: 'removed' }];
        const removals = [...plan.files].filter(({ verdict }) => verdict === 'remove');
        return Promise.resolve({ outcomes: new Map(removals.map(({ name }) => outcome(name))), lockWaitSeconds: [0.25] });
      },
    },
    clock: { now: () => ({ wallMs: NOW_MS, monotonicMs: 1000 }) },
    ...over,
  };
  const run = (options: Partial<PassOptions> = {}) => runPass(parts, { dryRun: false, ...options });
  return {
    run,
    calls,
    executed,
    inUse: async (name: string, going?: ReadonlySet<string>) => (await useCheck?.([name], undefined, going))?.get(name),
  };
}

const world = (over: Partial<World> = {}): World => ({ workloads: [workload()], overlays: [], listed: false, ...over });
const usesImage = workload({ name: 'late', images: [{ role: 'image', ref: IMAGE }] });

describe('a pass', () => {
  it('should scan before it collects references, and list consistently before it removes', async () => {
    const { run, calls } = harness(world());
    const report = await run();
    expect(calls).toEqual(['scan', 'read', 'overlays', 'list', 'overlays', 'execute']);
    expect(report).toMatchObject({
      kind: 'Report',
      result: 'Succeeded',
      totals: { removedFiles: 1, removedBytes: 1024 },
      lockWaitSeconds: [0.25],
    });
    expect(report.files.at(0)).toMatchObject({ verdict: 'remove', outcome: 'removed' });
  });

  it('should spare the API server the list when there is nothing to remove', async () => {
    const { run, calls } = harness(world({ workloads: [usesImage] }));
    expect((await run()).result).toBe('Succeeded');
    expect(calls).not.toContain('list');
  });

  it('should list under pressure, where an open gate would let younger files go', async () => {
    const young = baseFile({ modifiedAtMs: NOW_MS - 3_600_000 });
    const scan = { ...snapshot().scan, files: [young], filesystem: { sizeBytes: 1000, availableBytes: 50 } };
    const policy = { ...POLICY, pressure: { highThresholdPercent: 85, lowThresholdPercent: 80 } };
    const { run, calls } = harness(world(), { policy, scanner: { scan: () => Promise.resolve(scan) } });
    const report = await run({ dryRun: true });
    expect(calls).toContain('list');
    expect(report.files.at(0)).toMatchObject({ verdict: 'remove', reason: 'UnderPressure' });
  });

  it('should not call the gate closed for want of a list that nothing needed', async () => {
    const report = await harness(world({ workloads: [usesImage] })).run();
    expect(report.gate).toEqual({ open: true, reasons: [] });
  });

  it('should spare the API server the list when it could not open the gate', async () => {
    const unreadable: Overlay = { instance: 'vm', path: 'vm/disk', state: 'unreadable', chain: [], message: 'EIO' };
    const { run, calls } = harness(world({ overlays: [unreadable] }));
    expect((await run()).result).toBe('Held');
    expect(calls).not.toContain('list');
  });

  it('should execute nothing in a dry run, and show the plan that a real run executes', async () => {
    const dry = harness(world());
    const dryReport = await dry.run({ dryRun: true });
    expect(dry.executed).toEqual([]);
    expect(dryReport).toMatchObject({ result: 'DryRun', totals: { reclaimableFiles: 1, removedFiles: 0 } });
    const real = harness(world());
    await real.run();
    const { outcome, ...planned } = dryReport.files.at(0) ?? {};
    expect(outcome).toBe('kept');
    expect(real.executed[0]?.files.at(0)).toEqual(planned);
  });

  it('should hold a pass whose gate is closed', async () => {
    const { run } = harness(world({ workloads: [] }));
    const report = await run();
    expect(report).toMatchObject({
      result: 'Held',
      gate: { open: false, reasons: [{ reason: 'EmptyInventory' }] },
      totals: { removedFiles: 0 },
    });
    expect(report.files.at(0)).toMatchObject({ verdict: 'keep', reason: 'GateClosed', outcome: 'kept' });
  });

  it('should not look again under the lock at base files that go and named nothing, nor at lock files that were empty', async () => {
    const asked: Parameters<PassParts['overlays']['scan']>[0][] = [];
    const image = { name: 'image', inTrash: false, state: 'ok' as const, chain: [] };
    const emptyLocks = { names: new Set(['nova-a']), isUnchanged: () => false };
    const scan: PassParts['overlays']['scan'] = (options) => {
      asked.push(options);
      // Of those that were left out, a look says nothing.
      const found = options.emptyLocks === undefined ? emptyLocks : { names: new Set<string>(), isUnchanged: () => false };
      return Promise.resolve({
        overlays: [],
        baseImages: [image],
        unseen: [],
        ignored: [],
        emptyLocks: found,
        headersRead: 0,
        headersCached: 0,
      });
    };
    const { run, inUse } = harness(world(), { overlays: { scan } });
    await run();
    const planned = asked.length;
    await inUse('going', new Set(['going', 'image']));
    const [again] = asked.slice(planned);
    expect(['going', 'image', 'staying'].map((name) => again?.knownRaw?.has(name))).toEqual([true, false, false]);
    expect(again?.emptyLocks).toBe(emptyLocks);
    expect(asked.slice(0, planned).map((options) => options.emptyLocks)).toEqual([undefined, emptyLocks]);
    await inUse('going');
    expect(asked.at(-1)?.knownRaw?.has('going')).toBe(false);
  });

  it('should see under the lock who came to use the file after the plan', async () => {
    const changing = world();
    const { run, inUse } = harness(changing);
    await run();
    expect(await inUse(DIGEST)).toEqual([]);
    changing.workloads.push(usesImage);
    expect(await inUse(DIGEST)).toEqual([{ kind: 'use', message: `now used by late (image ${IMAGE})` }]);
    changing.workloads = [workload()];
    changing.overlays.push({
      instance: 'new',
      path: 'new/disk',
      state: 'ok',
      chain: [{ reference: `../_base/${DIGEST}`, baseName: DIGEST, path: `_base/${DIGEST}`, exists: true, protects: [DIGEST] }],
    });
    expect(await inUse(DIGEST)).toEqual([{ kind: 'use', message: 'now used by new (overlay new/disk)' }]);
  });

  it('should count evidence that became incomplete after the plan as use', async () => {
    const changing = world();
    const { run, inUse } = harness(changing);
    await run();
    changing.overlays.push({ instance: 'new', path: 'new/disk', state: 'unreadable', chain: [], message: 'EIO' });
    expect(await inUse(DIGEST)).toEqual([{ kind: 'gate', message: 'Unseen: new/disk: EIO' }]);
  });

  it('should report problem that makes a pass impossible as a failed pass', async () => {
    const { run } = harness(world(), {
      scanner: { scan: () => Promise.reject(new Error('cannot read _base', { cause: new Error('EIO') })) },
    });
    expect(await run()).toMatchObject({ kind: 'Report', result: 'Failed', message: 'cannot read _base: EIO', files: [] });
  });

  it('should remove nothing once it was told to stop', async () => {
    const stop = new AbortController();
    const { run, executed } = harness(world());
    const report = await run({ signal: stop.signal, onStage: (stage: Stage) => stage === 'overlays' && stop.abort(new Error('stopping')) });
    expect(report).toMatchObject({ result: 'Failed', message: 'stopping' });
    expect(executed).toEqual([]);
  });

  it('should say which stage it is in, and time each', async () => {
    const stages: Stage[] = [];
    const report = await harness(world()).run({ onStage: (stage) => stages.push(stage) });
    expect(new Set(stages)).toEqual(new Set(['scan', 'references', 'overlays', 'plan', 'execute']));
    expect(Object.keys(report.stageSeconds).toSorted()).toEqual(['execute', 'overlays', 'plan', 'references', 'scan']);
  });
});

describe('what a pass relies on without asking', () => {
  const message = '/i/_base: "/victim" is mounted there';

  it('should be looked at in the pass', async () => {
    const surroundings = { inspect: () => ({ DirectoryMismatch: [message] }) };
    const report = await harness(world({ listed: true }), { surroundings }).run();
    expect(report).toMatchObject({ result: 'Held', gate: { open: false, reasons: [{ reason: 'DirectoryMismatch', message }] } });
  });

  it('should be looked at again before each removal', async () => {
    let mounted = false;
    const surroundings = { inspect: () => ({ DirectoryMismatch: mounted ? [message] : [] }) };
    const { run, inUse } = harness(world(), { surroundings });
    await run();
    expect(await inUse(DIGEST)).toEqual([]);
    mounted = true;
    expect(await inUse(DIGEST)).toEqual([{ kind: 'gate', message: `DirectoryMismatch: ${message}` }]);
  });
});
