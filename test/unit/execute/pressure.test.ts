import { describe, expect, it } from 'vitest';
import { createExecutor } from '../../../src/execute/executor.ts';
import { baseName, executionPolicy, nobody, plannedFile, planOf, stoppedClock } from '../../helpers/execute-plans.ts';
import { MemoryBaseDirectory, MemoryLocker } from '../../helpers/memory-execute.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);
const names = ['newest', 'oldest', 'middle'].map(baseName);
const HOURS = [1, 3, 2];

/** Three files that only pressure asks for; removing one leaves `availableBytes` of 1000 free. */
async function removeUnderPressure(availableBytes: number) {
  const directory = new MemoryBaseDirectory('/instances/_base');
  const rows = names.map((name, index) => {
    const identity = directory.put(name, NOW_MS - (HOURS[index] ?? 0) * 3_600_000);
    return plannedFile(name, 'remove', identity, { reason: 'UnderPressure', minimumAgeSeconds: 600 });
  });
  directory.filesystem = { sizeBytes: 1000, availableBytes: 100 };
  const executor = createExecutor({
    locker: new MemoryLocker(),
    directories: directory,
    clock: stoppedClock(NOW_MS),
    policy: { ...executionPolicy, pressure: { highThresholdPercent: 85, lowThresholdPercent: 80 } },
  });
  directory.onUnlink = () => {
    directory.filesystem = { sizeBytes: 1000, availableBytes };
  };
  const { outcomes } = await executor.execute(planOf(directory.path, rows), nobody);
  return { log: directory.log, outcomes: names.map((name) => outcomes.get(name)) };
}

describe('executor: under pressure', () => {
  it('should stop as soon as the file system says that it is enough', async () => {
    const { log, outcomes } = await removeUnderPressure(200);
    expect(log).toEqual([`unlink ${names[1]}`]);
    expect(outcomes.map((entry) => entry?.outcome)).toEqual(['kept', 'removed', 'kept']);
    expect(outcomes[0]?.message).toBe('Enough space was freed without it.');
  });

  it('should go on, oldest first, while less is freed than was planned', async () => {
    const { log } = await removeUnderPressure(199);
    expect(log).toEqual([`unlink ${names[1]}`, `unlink ${names[2]}`, `unlink ${names[0]}`]);
  });
});
