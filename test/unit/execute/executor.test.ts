import { describe, expect, it } from 'vitest';
import { createExecutor } from '../../../src/execute/executor.ts';
import type { PlannedFile } from '../../../src/model/plan.ts';
import type { Policy } from '../../../src/model/policy.ts';
import type { UseCheck } from '../../../src/model/ports.ts';
import {
  baseName,
  DAY_MS,
  executionPolicy,
  nobody,
  perFile,
  plannedFile,
  planOf,
  stoppedClock,
  type RowOptions,
} from '../../helpers/execute-plans.ts';
import { MemoryBaseDirectory, MemoryLocker } from '../../helpers/memory-execute.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);
const OLD_MS = NOW_MS - 2 * DAY_MS;
const NAME = baseName('image-1');
const OTHER = baseName('image-2');

interface World {
  readonly directory: MemoryBaseDirectory;
  readonly locker: MemoryLocker;
  readonly row: (name: string, verdict: PlannedFile['verdict'], options?: RowOptions) => PlannedFile;
  readonly execute: (
    files: readonly PlannedFile[],
    options?: { inUse?: UseCheck; policy?: Partial<Policy>; signal?: AbortSignal; gateOpen?: boolean; basePath?: string },
  ) => Promise<{ outcomes: Record<string, string>; messages: Record<string, string | undefined>; lockWaitSeconds: readonly number[] }>;
}

function world(): World {
  const directory = new MemoryBaseDirectory('/instances/_base');
  const locker = new MemoryLocker();
  return {
    directory,
    locker,
    row(name, verdict, options) {
      if (!directory.names.includes(name)) directory.put(name, OLD_MS);
      return plannedFile(name, verdict, directory.statOf(name), options);
    },
    async execute(files, options = {}) {
      const policy = { ...executionPolicy, ...options.policy };
      const executor = createExecutor({ locker, directories: directory, clock: stoppedClock(NOW_MS), policy });
      const plan = planOf(options.basePath ?? directory.path, files, options.gateOpen);
      const { outcomes, lockWaitSeconds } = await executor.execute(plan, options.inUse ?? nobody, { signal: options.signal });
      const rows = [...outcomes];
      return {
        outcomes: Object.fromEntries(rows.map(([name, { outcome }]) => [name, outcome])),
        messages: Object.fromEntries(rows.map(([name, { message }]) => [name, message])),
        lockWaitSeconds,
      };
    },
  };
}

describe('executor: removals', () => {
  it('should unlink an unused file under its lock and keep the lock file', async () => {
    const { row, execute, directory, locker } = world();
    const { outcomes, lockWaitSeconds } = await execute([row(NAME, 'remove')]);
    expect(outcomes).toEqual({ [NAME]: 'removed' });
    expect(directory.log).toEqual([`unlink ${NAME}`]);
    expect(locker.log).toEqual([`lock ${NAME}`, `release ${NAME}`]);
    expect(lockWaitSeconds).toEqual([0]);
  });

  it('should remove in the order of the plan', async () => {
    const { row, execute, directory } = world();
    const names = ['c', 'a', 'b'].map(baseName);
    await execute(names.map((name) => row(name, 'remove')));
    expect(directory.log).toEqual(names.map((name) => `unlink ${name}`));
  });

  it('should keep a file whose lock stays busy, and say how long it waited', async () => {
    const { row, execute, directory, locker } = world();
    locker.hold(NAME);
    const { outcomes, messages, lockWaitSeconds } = await execute([row(NAME, 'remove')]);
    expect(outcomes).toEqual({ [NAME]: 'LockBusy' });
    expect(messages[NAME]).toMatch(/for 0 s/);
    expect(lockWaitSeconds).toHaveLength(1);
    expect(directory.log).toEqual([]);
  });

  it('should report why a lock cannot be had and go on with the next file', async () => {
    const { row, execute, locker } = world();
    locker.failures.set(NAME, 'EROFS');
    const { outcomes, messages } = await execute([row(NAME, 'remove'), row(OTHER, 'remove')]);
    expect(outcomes).toEqual({ [NAME]: 'RemovalFailed', [OTHER]: 'removed' });
    expect(messages[NAME]).toMatch(/^EROFS/);
  });

  it('should keep a file that another file replaced', async () => {
    const { row, execute, directory } = world();
    const planned = row(NAME, 'remove');
    directory.put(NAME, OLD_MS);
    expect((await execute([planned])).outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect(directory.names).toEqual([NAME]);
  });

  it('should keep a file that a directory replaced', async () => {
    const { row, execute, directory } = world();
    const planned = row(NAME, 'remove');
    directory.put(NAME, OLD_MS, false);
    expect((await execute([planned])).outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
  });

  it('should keep a file that was touched since the plan', async () => {
    const { row, execute, directory } = world();
    const planned = row(NAME, 'remove');
    directory.setModified(NAME, NOW_MS - 1000);
    expect((await execute([planned])).outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect(directory.log).toEqual([]);
  });

  it('should report a file that somebody else removed', async () => {
    const { row, execute, directory } = world();
    const planned = row(NAME, 'remove');
    directory.remove(NAME);
    expect((await execute([planned])).outcomes).toEqual({ [NAME]: 'AlreadyGone' });
  });

  it('should never remove a file below the minimum age floor, whatever the plan says', async () => {
    const { row, execute, directory } = world();
    directory.put(NAME, NOW_MS - 599_000);
    const { outcomes, messages } = await execute([row(NAME, 'remove', { minimumAgeSeconds: 0 })]);
    expect(outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect(messages[NAME]).toBe('It is 599 s old; the minimum age is 600 s.');
  });

  it.each([
    { kind: 'original', ageSeconds: 86_399, outcome: 'ChangedSincePlan' },
    { kind: 'original', ageSeconds: 86_400, outcome: 'removed' },
    { kind: 'swap', ageSeconds: 86_399, outcome: 'ChangedSincePlan' },
    { kind: 'ephemeral', ageSeconds: 86_400, outcome: 'removed' },
    { kind: 'resized', ageSeconds: 3599, outcome: 'ChangedSincePlan' },
    { kind: 'resized', ageSeconds: 3600, outcome: 'removed' },
    { kind: 'legacy', ageSeconds: 3600, outcome: 'removed' },
  ] as const)('should ask the policy for the age of a row that has none: $kind of $ageSeconds s', async ({ kind, ageSeconds, outcome }) => {
    const { row, execute, directory } = world();
    directory.put(NAME, NOW_MS - ageSeconds * 1000);
    const { outcomes } = await execute([row(NAME, 'remove', { kind, minimumAgeSeconds: undefined })]);
    expect(outcomes).toEqual({ [NAME]: outcome });
  });

  it('should keep a file that is used now, and say by whom', async () => {
    const { row, execute, directory, locker } = world();
    const asked: string[] = [];
    const inUse = perFile(async (name) => {
      asked.push(name, ...locker.log);
      return [{ kind: 'use', message: 'now used by instance-1 (image x)' }];
    });
    const { outcomes, messages } = await execute([row(NAME, 'remove')], { inUse });
    expect(outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect(messages[NAME]).toBe('now used by instance-1 (image x)');
    expect(asked).toEqual([NAME, `lock ${NAME}`]);
    expect(directory.log).toEqual([]);
  });

  it('should keep a file when the question who uses it fails', async () => {
    const { row, execute, directory, locker } = world();
    const { outcomes, messages } = await execute([row(NAME, 'remove')], { inUse: () => Promise.reject(new Error('no answer')) });
    expect(outcomes).toEqual({ [NAME]: 'RemovalFailed' });
    expect(messages[NAME]).toMatch(/no answer/);
    expect(directory.log).toEqual([]);
    expect(locker.log.at(-1)).toBe(`release ${NAME}`);
  });

  it('should keep a file that the answers leave out', async () => {
    const { directory, row, execute } = world();
    const { outcomes, messages } = await execute([row(NAME, 'remove')], { inUse: async () => new Map() });
    expect(outcomes).toEqual({ [NAME]: 'RemovalFailed' });
    expect(messages[NAME]).toMatch(/it was not among the answers/);
    expect(directory.log).toEqual([]);
  });

  it.each([true, false])('should keep a file that was touched while its use was asked for (live use check: %s)', async (liveUseCheck) => {
    const { row, execute, directory } = world();
    const inUse = perFile(async (name) => {
      directory.setModified(name, NOW_MS);
      return [];
    });
    const { outcomes } = await execute([row(NAME, 'remove')], { inUse, policy: { liveUseCheck } });
    expect(outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect(directory.log).toEqual([]);
  });

  it('should report a file that vanished while its use was asked for', async () => {
    const { row, execute, directory } = world();
    const inUse = perFile(async (name) => {
      directory.remove(name);
      return [];
    });
    expect((await execute([row(NAME, 'remove')], { inUse })).outcomes).toEqual({ [NAME]: 'AlreadyGone' });
  });

  it('should look at the file once more inside the image lock', async () => {
    const { row, execute, directory } = world();
    directory.onStat = (name) => {
      if (directory.openInQemu.has(name)) directory.setModified(name, NOW_MS);
    };
    expect((await execute([row(NAME, 'remove')])).outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect(directory.log).toEqual([]);
  });

  it('should keep a file that a QEMU has open', async () => {
    const { row, execute, directory, locker } = world();
    directory.openInQemu.add(NAME);
    expect((await execute([row(NAME, 'remove')])).outcomes).toEqual({ [NAME]: 'InUseByQemu' });
    expect(directory.log).toEqual([]);
    expect(locker.log.at(-1)).toBe(`release ${NAME}`);
  });

  it('should not ask for image locks where the policy does not want it', async () => {
    const { row, execute, directory } = world();
    directory.openInQemu.add(NAME);
    expect((await execute([row(NAME, 'remove')], { policy: { liveUseCheck: false } })).outcomes).toEqual({ [NAME]: 'removed' });
  });

  it.each(['stat', 'withImageLock', 'unlink'] as const)('should report the errno when %s fails and go on', async (operation) => {
    const { row, execute, directory, locker } = world();
    const files = [row(NAME, 'remove'), row(OTHER, 'remove')];
    directory.failures.set(`${operation} ${NAME}`, 'EIO');
    const { outcomes, messages } = await execute(files);
    expect(outcomes).toEqual({ [NAME]: 'RemovalFailed', [OTHER]: 'removed' });
    expect(messages[NAME]).toMatch(/^EIO/);
    expect(locker.log).toContain(`release ${NAME}`);
  });

  it('should take ENOENT from unlink for what it is', async () => {
    const { row, execute, directory } = world();
    const file = row(NAME, 'remove');
    directory.failures.set(`unlink ${NAME}`, 'ENOENT');
    expect((await execute([file])).outcomes).toEqual({ [NAME]: 'AlreadyGone' });
  });

  it('should free the lock and close the directory when this program has a mistake', async () => {
    const { row, execute, directory, locker } = world();
    const file = row(NAME, 'remove');
    directory.onStat = () => {
      throw new TypeError('a mistake');
    };
    await expect(execute([file])).rejects.toThrow('a mistake');
    expect(locker.log.at(-1)).toBe(`release ${NAME}`);
    expect(directory.closed).toBe(1);
  });
});

describe('executor: touches', () => {
  it('should set the mtime of a file that is in use to now, without any lock', async () => {
    const { row, execute, directory, locker } = world();
    expect((await execute([row(NAME, 'touch')])).outcomes).toEqual({ [NAME]: 'touched' });
    expect(directory.statOf(NAME).modifiedAtMs).toBe(NOW_MS);
    expect(locker.log).toEqual([]);
  });

  it('should touch all files before it removes the first', async () => {
    const { row, execute, directory } = world();
    await execute([row(NAME, 'remove'), row(OTHER, 'touch')]);
    expect(directory.log).toEqual([`touch ${OTHER}`, `unlink ${NAME}`]);
  });

  it('should touch a file that somebody else, or this pass, touched already', async () => {
    const { row, execute } = world();
    const file = row(NAME, 'touch');
    await execute([file]);
    expect((await execute([file])).outcomes).toEqual({ [NAME]: 'touched' });
  });

  it('should touch while the gate is closed', async () => {
    const { row, execute } = world();
    expect((await execute([row(NAME, 'touch')], { gateOpen: false })).outcomes).toEqual({ [NAME]: 'touched' });
  });

  it('should not touch another file of the same name', async () => {
    const { row, execute, directory } = world();
    const file = row(NAME, 'touch');
    directory.put(NAME, OLD_MS);
    expect((await execute([file])).outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect(directory.log).toEqual([]);
  });

  it('should report a file in use that is gone', async () => {
    const { row, execute, directory } = world();
    const file = row(NAME, 'touch');
    directory.remove(NAME);
    expect((await execute([file])).outcomes).toEqual({ [NAME]: 'AlreadyGone' });
  });

  it.each([
    ['EACCES', 'TouchFailed'],
    ['EROFS', 'TouchFailed'],
    ['ENOENT', 'AlreadyGone'],
  ])('should report %s from the touch as %s and go on', async (code, outcome) => {
    const { row, execute, directory } = world();
    const files = [row(NAME, 'touch'), row(OTHER, 'touch')];
    directory.failures.set(`touch ${NAME}`, code);
    expect((await execute(files)).outcomes).toEqual({ [NAME]: outcome, [OTHER]: 'touched' });
  });
});

describe('executor: what it refuses', () => {
  it('should leave files alone whose verdict is keep', async () => {
    const { row, execute, directory, locker } = world();
    const { outcomes } = await execute([row(NAME, 'keep')]);
    expect(outcomes).toEqual({});
    expect([...directory.log, ...locker.log]).toEqual([]);
  });

  it.each(['touch', 'remove'] as const)('should keep a foreign file although a plan says %s', async (verdict) => {
    const { row, execute, directory, locker } = world();
    const { outcomes, messages } = await execute([row('notes.txt', verdict, { kind: 'foreign' })]);
    expect(outcomes).toEqual({ 'notes.txt': 'kept' });
    expect(messages['notes.txt']).toMatch(/not ours/);
    expect([...directory.log, ...locker.log]).toEqual([]);
  });

  it('should keep a file although a plan whose gate is closed says remove', async () => {
    const { row, execute, directory } = world();
    const { outcomes, messages } = await execute([row(NAME, 'remove')], { gateOpen: false });
    expect(outcomes).toEqual({ [NAME]: 'kept' });
    expect(messages[NAME]).toMatch(/gate is closed/);
    expect(directory.log).toEqual([]);
  });

  it.each(['../secret', '..', '', 'a/b', 'a\0b'])('should refuse %j, which is not a file name', async (name) => {
    const { execute, locker } = world();
    const identity = { device: '1', inode: '1', modifiedAtNs: '1' };
    expect((await execute([plannedFile(name, 'remove', identity)])).outcomes).toEqual({ [name]: 'kept' });
    expect(locker.log).toEqual([]);
  });

  it('should treat a name like __proto__ as a name', async () => {
    const { row, execute, directory } = world();
    const file = row('__proto__', 'remove');
    directory.remove('__proto__');
    const executor = createExecutor({
      locker: new MemoryLocker(),
      directories: directory,
      clock: stoppedClock(NOW_MS),
      policy: executionPolicy,
    });
    const { outcomes } = await executor.execute(planOf(directory.path, [file]), nobody);
    expect(outcomes.get('__proto__')?.outcome).toBe('AlreadyGone');
    expect((await execute([])).outcomes).toEqual({});
  });
});

describe('executor: the base directory', () => {
  it('should call everything gone when the base directory is', async () => {
    const { row, execute } = world();
    const files = [row(NAME, 'remove'), row(OTHER, 'touch')];
    expect((await execute(files, { basePath: '/elsewhere' })).outcomes).toEqual({ [NAME]: 'AlreadyGone', [OTHER]: 'AlreadyGone' });
  });

  it('should say why nothing was done when the base directory cannot be opened', async () => {
    const { row, execute, directory } = world();
    const files = [row(NAME, 'remove'), row(OTHER, 'touch')];
    directory.failures.set('open', 'ENOTDIR');
    const { outcomes, messages } = await execute(files);
    expect(outcomes).toEqual({ [NAME]: 'RemovalFailed', [OTHER]: 'TouchFailed' });
    expect(messages[NAME]).toMatch(/^ENOTDIR/);
  });

  it('should close the directory that it opened', async () => {
    const { row, execute, directory } = world();
    await execute([row(NAME, 'remove')]);
    expect([directory.opened, directory.closed]).toEqual([1, 1]);
  });
});

describe('executor: being stopped', () => {
  it('should abandon everything when it was stopped before it began', async () => {
    const { row, execute, directory, locker } = world();
    const { outcomes } = await execute([row(NAME, 'remove'), row(OTHER, 'touch')], { signal: AbortSignal.abort() });
    expect(outcomes).toEqual({ [NAME]: 'Abandoned', [OTHER]: 'Abandoned' });
    expect([...directory.log, ...locker.log]).toEqual([]);
  });

  it('should finish the file in hand and abandon the rest', async () => {
    const { row, execute, directory } = world();
    const stop = new AbortController();
    const files = [row(NAME, 'remove'), row(OTHER, 'remove')];
    directory.onStat = (name) => {
      if (directory.openInQemu.has(name)) stop.abort();
    };
    const { outcomes } = await execute(files, { signal: stop.signal });
    expect(outcomes).toEqual({ [NAME]: 'removed', [OTHER]: 'Abandoned' });
  });

  it('should abandon a file whose lock it waits for', async () => {
    const { row, execute, locker } = world();
    const stop = new AbortController();
    const file = row(NAME, 'remove');
    locker.hold(NAME);
    const execution = execute([file], { signal: stop.signal, policy: { lockTimeoutSeconds: 1000 } });
    stop.abort();
    expect((await execution).outcomes).toEqual({ [NAME]: 'Abandoned' });
  });

  it('should abandon a file, and free its lock, when the question who uses it is not answered', async () => {
    const { row, execute, directory, locker } = world();
    const stop = new AbortController();
    const inUse: UseCheck = () => {
      stop.abort();
      return Promise.withResolvers<never>().promise;
    };
    const { outcomes } = await execute([row(NAME, 'remove')], { inUse, signal: stop.signal });
    expect(outcomes).toEqual({ [NAME]: 'Abandoned' });
    expect(directory.log).toEqual([]);
    expect(locker.log.at(-1)).toBe(`release ${NAME}`);
  });

  it('should abandon a file when the question who uses it is interrupted', async () => {
    const { row, execute } = world();
    const stop = new AbortController();
    const inUse = perFile(async (_, signal) => {
      stop.abort();
      signal?.throwIfAborted();
      return [];
    });
    expect((await execute([row(NAME, 'remove')], { inUse, signal: stop.signal })).outcomes).toEqual({ [NAME]: 'Abandoned' });
  });

  it('should be stopped in time by a signal between two of many files', async () => {
    const { row, execute, directory } = world();
    const files = Array.from({ length: 1000 }, (_, index) => row(baseName(String(index)), 'touch'));
    const stop = new AbortController();
    const execution = execute(files, { signal: stop.signal });
    setImmediate(() => stop.abort());
    const { outcomes } = await execution;
    expect(Object.values(outcomes).filter((outcome) => outcome === 'Abandoned').length).toBeGreaterThan(900);
    expect(directory.log.length).toBeLessThan(100);
  });
});

describe('executor: lock files in Nova parity', () => {
  const policy = { removeLockFiles: true };

  it.each(['original', 'resized', 'legacy'] as const)('should remove the lock file of a removed %s file', async (kind) => {
    const { row, execute, locker } = world();
    await execute([row(NAME, 'remove', { kind })], { policy });
    expect(locker.log).toEqual([`lock ${NAME}`, `release and remove ${NAME}`]);
  });

  it.each(['swap', 'ephemeral'] as const)('should keep the lock file of a removed %s file', async (kind) => {
    const { row, execute, locker } = world();
    expect((await execute([row(NAME, 'remove', { kind })], { policy })).outcomes).toEqual({ [NAME]: 'removed' });
    expect([...locker.lockFiles]).toEqual([NAME]);
  });

  it('should remove the lock file of a file that turned out to be too young under the lock', async () => {
    const { row, execute, locker, directory } = world();
    directory.put(NAME, NOW_MS - 1000);
    expect((await execute([row(NAME, 'remove')], { policy })).outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect([...locker.lockFiles]).toEqual([]);
  });

  it('should remove the lock file of a file that cannot be removed', async () => {
    const { row, execute, locker, directory } = world();
    const file = row(NAME, 'remove');
    directory.failures.set(`unlink ${NAME}`, 'EPERM');
    await execute([file], { policy });
    expect([...locker.lockFiles]).toEqual([]);
  });

  it('should leave the lock file of a file alone that the plan keeps as too young', async () => {
    const { row, execute, locker } = world();
    locker.hold(NAME).release({ remove: false });
    await execute([row(NAME, 'keep')], { policy });
    expect([...locker.lockFiles]).toEqual([NAME]);
  });
});
