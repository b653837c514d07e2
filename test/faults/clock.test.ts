import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runPass, type PassOptions } from '../../src/pass/pass.ts';
import type { Stage } from '../../src/model/report.ts';
import type { ClockReading } from '../../src/model/snapshot.ts';
import { createFileSource } from '../../src/sources/file/source.ts';
import { passParts } from '../../src/wire/pass.ts';
import { configOf } from './config.ts';
import { damages, leftOver, buildWorld, type World } from './world.ts';

const DAY_MS = 86_400_000;
const JUMPS = [
  ['forward by a day', DAY_MS],
  ['back by a day', -DAY_MS],
  ['forward by nine years', 3287 * DAY_MS],
  ['back by nine years', -3287 * DAY_MS],
] as const;
const STAGES: readonly Stage[] = ['scan', 'references', 'overlays', 'plan', 'execute'];

/** The machine's clocks, of which a test may set the one on the wall. */
function settableClock() {
  let setByMs = 0;
  return {
    now: (): ClockReading => ({ wallMs: Date.now() + setByMs, monotonicMs: performance.now() }),
    set: (byMs: number): void => {
      setByMs += byMs;
    },
  };
}

/** Passes of one agent on a real tree, one after the other. */
function keeperOf(world: World) {
  const clock = settableClock();
  const config = configOf(
    { instancesPath: world.tree.instancesPath, workloadsPath: world.workloadsPath },
    { ledger: { maxAgeDays: 3650 } },
  );
  const parts = passParts(config, [createFileSource({ path: world.workloadsPath, clock })], clock);
  let previousPass: ClockReading | undefined;
  const pass = async (options: Pick<PassOptions, 'onStage'> = {}) => {
    const report = await runPass(parts, { dryRun: false, previousPass, ...options });
    previousPass = clock.now();
    return { result: report.result, reasons: report.gate.reasons.map(({ reason }) => reason), removed: report.totals.removedFiles };
  };
  return { clock, pass };
}

describe('a clock that is set during a pass', () => {
  it.each(JUMPS.flatMap(([how, byMs]) => STAGES.map((stage) => [how, stage, byMs] as const)))(
    '%s, at the stage %s, should let nothing go in that pass',
    async (_how, stage, byMs) => {
      using world = buildWorld({ unused: 2 });
      const { clock, pass } = keeperOf(world);
      const { removed } = await pass({ onStage: (entered) => entered === stage && clock.set(byMs) });
      expect(removed).toBe(0);
      expect([...damages(world), leftOver(world).length]).toEqual([2]);
    },
  );
});

describe('a clock that is set between two passes', () => {
  it.each(JUMPS)('%s, should hold the next pass, and only that', async (_how, byMs) => {
    using world = buildWorld({ unused: 2 });
    const { clock, pass } = keeperOf(world);
    expect(await pass()).toMatchObject({ result: 'Succeeded', removed: 2 });
    world.tree.add({ [`_base/${world.unused[0]}`]: { ageSeconds: 3 * 86_400 } });
    clock.set(byMs);
    expect(await pass()).toEqual({ result: byMs > -2 * DAY_MS ? 'Held' : 'Succeeded', reasons: ['ClockNotSane'], removed: 0 });
    // Nine years back, the file was not written yet: it is kept for being young.
    expect(await pass()).toEqual({ result: 'Succeeded', reasons: [], removed: byMs > -2 * DAY_MS ? 1 : 0 });
    expect(damages(world)).toEqual([]);
  });
});

describe('mtimes that cannot be', () => {
  /** By `touch`: Node takes a negative time for now. */
  const date = (path: string, when: string): void => void execFileSync('touch', ['-d', when, path]);

  // ext4 ends in 2446; 64 bits of nanoseconds end in 2262.
  const future = ['tomorrow', '2099-01-01', '2286-11-21'] as const;

  it.each(future.flatMap((when) => [[when, 'that a workload names', 0] as const, [when, 'that an overlay stands on', 2] as const]))(
    '%s, of a file %s, should hold one pass, which fixes them',
    async (when, _whose, index) => {
      using world = buildWorld({ unused: 1 });
      const path = world.tree.path(`_base/${world.used[index]}`);
      date(path, when);
      const { pass } = keeperOf(world);
      expect(await pass()).toEqual({ result: 'Held', reasons: ['ClockNotSane'], removed: 0 });
      expect(statSync(path).mtimeMs).toBeLessThanOrEqual(Date.now());
      expect(await pass()).toEqual({ result: 'Succeeded', reasons: [], removed: 1 });
      expect(damages(world)).toEqual([]);
    },
  );

  it.each(future)('%s, of a file that nothing uses, should keep that file alone', async (when) => {
    using world = buildWorld({ unused: 2 });
    const [name = ''] = world.unused;
    date(world.tree.path(`_base/${name}`), when);
    expect(await keeperOf(world).pass()).toEqual({ result: 'Succeeded', reasons: [], removed: 1 });
    expect(leftOver(world)).toEqual([name]);
  });

  it('before 1970 should count as old, for what nothing uses', async () => {
    using world = buildWorld({ unused: 2 });
    for (const name of [...world.used, ...world.unused]) date(world.tree.path(`_base/${name}`), '1901-12-31');
    expect(await keeperOf(world).pass()).toEqual({ result: 'Succeeded', reasons: [], removed: 2 });
    expect(damages(world)).toEqual([]);
  });
});
