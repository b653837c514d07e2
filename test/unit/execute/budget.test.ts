import { describe, expect, it } from 'vitest';
import { createExecutor } from '../../../src/execute/executor.ts';
import type { Plan } from '../../../src/model/plan.ts';
import type { Policy } from '../../../src/model/policy.ts';
import { baseName, executionPolicy, nobody, plannedFile, planOf, stoppedClock } from '../../helpers/execute-plans.ts';
import { MemoryBaseDirectory, MemoryLocker } from '../../helpers/memory-execute.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);
const names = ['newest', 'oldest', 'middle'].map(baseName);
const HOURS = [1, 3, 2];
/** What the test helper gives each file. */
const FILE_BYTES = 4096;
const budget = { maxBytes: 40_000, lowPercentOfMax: 90 };
const LOW = 36_000;

interface Case {
  readonly heldBytes: number;
  readonly reason?: 'OverBudget' | 'UnderPressure' | 'Unused';
  readonly policy?: Partial<Policy>;
  readonly plan?: Partial<Plan>;
  /** Of 1000, after each removal. */
  readonly availableBytes?: number;
  /** Another name of the oldest file: one of the other two, or one that nobody removes. */
  readonly oldestIs?: 'middle' | 'elsewhere';
}

/** Three files that only the budget asks for, in a cache that holds so many bytes. */
async function remove({ heldBytes, reason = 'OverBudget', policy, plan, availableBytes = 500, oldestIs }: Case) {
  const directory = new MemoryBaseDirectory('/instances/_base');
  for (const [index, name] of names.entries()) directory.put(name, NOW_MS - (HOURS[index] ?? 0) * 3_600_000);
  if (oldestIs !== undefined) directory.link(baseName('oldest'), baseName(oldestIs));
  const rows = names.map((name) => {
    const identity = directory.statOf(name);
    return plannedFile(name, 'remove', identity, { reason, minimumAgeSeconds: 600 });
  });
  directory.filesystem = { sizeBytes: 1000, availableBytes: 100 };
  directory.onUnlink = () => {
    directory.filesystem = { sizeBytes: 1000, availableBytes };
  };
  const executor = createExecutor({
    locker: new MemoryLocker(),
    directories: directory,
    clock: stoppedClock(NOW_MS),
    policy: { ...executionPolicy, budget, ...policy },
  });
  const bytesToFree = heldBytes > budget.maxBytes ? heldBytes - LOW : 0;
  const ofBudget = { maxBytes: budget.maxBytes, lowBytes: LOW, heldBytes, bytesToFree, plannedBytes: 0, projectedBytes: 0 };
  const { outcomes } = await executor.execute({ ...planOf(directory.path, rows), budget: ofBudget, ...plan }, nobody);
  return {
    log: directory.log.map((line) => line.replace(/^(unlink|take) (\w+).*$/u, (_, verb, name) => `${verb} ${nameOf(name)}`)),
    outcomes,
  };
}

function nameOf(name: string): string {
  return ['newest', 'oldest', 'middle'][names.indexOf(name)] ?? name;
}

describe('executor: over the budget', () => {
  it('should stop as soon as what is gone brings the cache down to the low mark', async () => {
    const { log, outcomes } = await remove({ heldBytes: LOW + FILE_BYTES });
    expect(log).toEqual(['unlink oldest']);
    expect(outcomes.get(names[0] ?? '')).toMatchObject({ outcome: 'kept', message: 'Enough space was freed without it.' });
  });

  it('should go on, least recently used first, while the cache holds more', async () => {
    expect((await remove({ heldBytes: LOW + FILE_BYTES + 1 })).log).toEqual(['unlink oldest', 'unlink middle']);
  });

  it('should count a file as freed when the last of its names goes, and not before', async () => {
    const { log, outcomes } = await remove({ heldBytes: LOW + FILE_BYTES, oldestIs: 'middle' });
    expect(log).toEqual(['unlink oldest', 'unlink middle']);
    const another = { outcome: 'removed', freedNothing: true, message: 'It has another name, so nothing was freed.' };
    expect(outcomes.get(baseName('oldest'))).toEqual({ name: baseName('oldest'), ...another });
    expect(outcomes.get(baseName('middle'))).toEqual({ name: baseName('middle'), outcome: 'removed' });
    expect((await remove({ heldBytes: LOW + FILE_BYTES, oldestIs: 'elsewhere' })).log).toEqual(['unlink oldest', 'unlink middle']);
  });

  it('should remove nothing for a budget that is kept to, and nothing for one that is not set', async () => {
    expect((await remove({ heldBytes: budget.maxBytes })).log).toEqual([]);
    expect((await remove({ heldBytes: 100_000, policy: { budget: undefined } })).log).toEqual([]);
  });

  it('should take a share of the file system as its budget', async () => {
    const share = { maxPercentOfFilesystem: 50, lowPercentOfMax: 90 };
    expect((await remove({ heldBytes: 50_000, policy: { budget: share } })).log).toHaveLength(3);
    const plan = { budget: { maxBytes: 500, lowBytes: 450, heldBytes: 4500, bytesToFree: 4050, plannedBytes: 0, projectedBytes: 0 } };
    expect((await remove({ heldBytes: 0, policy: { budget: share }, plan })).log).toEqual(['unlink oldest']);
  });

  it('should go on for the budget where the pressure is gone, and the other way round', async () => {
    const pressure = { highThresholdPercent: 85, lowThresholdPercent: 80 };
    const pressed = { ...pressure, usedPercent: 90, bytesToFree: 100, plannedBytes: 100, projectedUsedPercent: 80 };
    const both = { policy: { pressure }, plan: { pressure: pressed } };
    expect((await remove({ heldBytes: LOW + FILE_BYTES + 1, reason: 'UnderPressure', ...both })).log).toHaveLength(2);
    expect((await remove({ heldBytes: LOW + FILE_BYTES, availableBytes: 199, ...both })).log).toHaveLength(3);
    expect((await remove({ heldBytes: LOW + FILE_BYTES, availableBytes: 199, policy: { pressure } })).log).toHaveLength(1);
  });

  it('should not move to the trash while the cache, in which the trash counts, is over its budget', async () => {
    const trash = { enabled: true, graceSeconds: 259_200 };
    const { log } = await remove({ heldBytes: LOW + FILE_BYTES, reason: 'Unused', policy: { trash } });
    expect(log).toEqual(['unlink newest', 'take oldest', 'take middle']);
    expect((await remove({ heldBytes: LOW, reason: 'Unused', policy: { trash } })).log[0]).toBe('take newest');
  });
});
