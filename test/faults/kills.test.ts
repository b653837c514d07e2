import { describe, expect, it } from 'vitest';
import { Random } from '../hostile/random.ts';
import { killThroughoutBatch } from './batch-calls.ts';
import { killAtRandom, killAtStage, killAtSystemCall, wholePass } from './kills.ts';
import { unrecovered } from './recorded.ts';
import { buildWorld, damages, leftOver, needAgain, trashed, type WorldOptions } from './world.ts';

/** Kills one pass, then lets the next come to its end. */
async function survive(kill: (world: ReturnType<typeof buildWorld>) => Promise<{ killed: boolean }>, options: WorldOptions = {}) {
  using world = buildWorld(options);
  expect((await kill(world)).killed).toBe(true);
  expect(damages(world)).toEqual([]);
  await wholePass(world);
  expect(damages(world)).toEqual([]);
  expect(leftOver(world)).toEqual([]);
  expect(unrecovered(world.tree.instancesPath)).toEqual([]);
}

describe('a pass that is killed', () => {
  it('should have lost nothing, wherever a stage ends and the next begins', async () => {
    const stages: string[] = [];
    // One more than there are: the pass has ended, but not the process.
    for (let stage = 1; stages.at(-1) !== 'end'; stage++) {
      await survive(async (world) => {
        const result = await killAtStage(world, stage);
        stages.push(result.stages.at(-1) ?? 'none');
        return result;
      });
    }
    expect(stages).toEqual(['scan', 'references', 'overlays', 'plan', 'execute', 'end']);
  });

  // Each call that changes something on disk, before it is made. The first pass makes the lock directory.
  it.each([
    ['utimensat', 1],
    ['utimensat', 3],
    ['mkdir', 1],
    ['fchown', 1],
    ['fchown', 2],
    ['fchmod', 1],
    ['fchmod', 2],
    ['unlink', 1],
    ['unlink', 2],
    ['unlink', 6],
    // Of the record of removals.
    ['mkdir', 2],
    ['mkdir', 3],
    ['pwrite64', 1],
    ['pwrite64', 2],
    ['pwrite64', 3],
    ['fdatasync', 1],
    ['rename', 1],
  ])('should have lost nothing, nor locked Nova out, when it was about to call %s for the %i. time', async (call, nth) => {
    await survive(async (world) => await killAtSystemCall(world, call, nth));
  });

  it.each([
    ['fchown', 2],
    ['fchown', 3],
    ['fchown', 4],
    ['fchown', 5],
    ['fsync', 2],
    ['rename', 1],
    ['rename', 2],
    ['rename', 3],
    ['unlink', 1],
  ])(
    'should have lost nothing on a directory that is shared, nor any host, when it was about to call %s for the %i. time',
    async (call, nth) => {
      await survive(async (world) => await killAtSystemCall(world, call, nth), { shared: true });
    },
  );

  it('should have lost nothing on a directory that is shared, at whatever moment', async () => {
    const { failures, kills } = await killAtRandom({ rounds: 8, random: new Random(2), shared: true });
    expect(failures).toEqual([]);
    expect(kills).toBeGreaterThan(0);
  });

  it.each([
    ['rename', 1],
    ['rename', 6],
    ['mkdir', 2],
  ])('should have lost nothing that goes to the trash, when it was about to call %s for the %i. time', async (call, nth) => {
    await survive(async (world) => await killAtSystemCall(world, call, nth), { trash: true });
  });

  it.each(['link', 'unlink'])('should finish what it was putting back when it was killed as it was about to call %s', async (call) => {
    using world = buildWorld({ trash: true });
    await wholePass(world);
    expect(leftOver(world)).toEqual([]);
    needAgain(world);
    expect((await killAtSystemCall(world, call, 2)).killed).toBe(true);
    expect(damages(world)).toEqual([]);
    await wholePass(world);
    expect(leftOver(world)).toEqual(world.unused);
    expect([damages(world), trashed(world)]).toEqual([[], []]);
  });

  it.each([false, true])('should have lost nothing at the system calls of a batch (trash: %s)', async (trash) => {
    // `npm run faults -- --every-call` takes each of them.
    const { failures, kills, calls } = await killThroughoutBatch({ trash, sample: { size: 16, random: new Random(3) } });
    expect(failures).toEqual([]);
    expect(kills).toBeGreaterThan(8);
    expect(calls).toBeGreaterThan(50);
  });

  it.each([false, true])('should have lost nothing, at whatever moment (trash: %s)', async (trash) => {
    // `npm run faults` kills more of them.
    const { failures, kills } = await killAtRandom({ rounds: 12, random: new Random(1), trash });
    expect(failures).toEqual([]);
    expect(kills).toBeGreaterThan(0);
  });
});
