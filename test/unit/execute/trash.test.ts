import { describe, expect, it } from 'vitest';
import { createExecutor } from '../../../src/execute/executor.ts';
import type { FileIdentity, Plan, PlannedFile, PlannedTrashedFile } from '../../../src/model/plan.ts';
import type { Policy } from '../../../src/model/policy.ts';
import type { Objection, UseCheck } from '../../../src/model/ports.ts';
import { baseName, DAY_MS, executionPolicy, nobody, perFile, plannedFile, planOf, stoppedClock } from '../../helpers/execute-plans.ts';
import { MemoryBaseDirectory, MemoryLocker } from '../../helpers/memory-execute.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);
const NAME = baseName('image-1');
const TRASHED_MS = NOW_MS - 2 * DAY_MS;
const ENTRY = `${NAME}.${TRASHED_MS}`;
const TRASH_ON: Policy['trash'] = { enabled: true, graceSeconds: 86_400 };
const usedBy = (name: string) => perFile(async (asked) => (asked === name ? [{ kind: 'use', message: 'now used by vm' }] : []));

function setUp() {
  const directory = new MemoryBaseDirectory('/instances/_base');
  const locker = new MemoryLocker();
  const execute = async (
    plan: Partial<Pick<Plan, 'files' | 'trash' | 'pressure' | 'gate'>>,
    options: { inUse?: UseCheck; policy?: Partial<Policy>; signal?: AbortSignal } = {},
  ) => {
    const policy = { ...executionPolicy, trash: TRASH_ON, ...options.policy };
    const executor = createExecutor({ locker, directories: directory, clock: stoppedClock(NOW_MS), policy });
    const { outcomes, trash } = await executor.execute({ ...planOf(directory.path, []), ...plan }, options.inUse ?? nobody, {
      signal: options.signal,
    });
    const told = (map: typeof outcomes | undefined) => Object.fromEntries([...(map ?? [])].map(([name, { outcome }]) => [name, outcome]));
    return { outcomes: told(outcomes), trash: told(trash), message: [...(trash?.values() ?? []), ...outcomes.values()][0]?.message };
  };
  return { directory, locker, execute };
}

const removal = (directory: MemoryBaseDirectory, options?: Parameters<typeof plannedFile>[3]): PlannedFile =>
  plannedFile(NAME, 'remove', directory.put(NAME, NOW_MS - 2 * DAY_MS), options);

function trashRow(
  verdict: PlannedTrashedFile['verdict'],
  identity: FileIdentity,
  over: Partial<PlannedTrashedFile> = {},
): PlannedTrashedFile {
  const reason = verdict === 'restore' ? 'NeededAgain' : 'GraceOver';
  const times = { trashedAt: new Date(TRASHED_MS).toISOString(), graceEndsAt: new Date(TRASHED_MS + DAY_MS).toISOString() };
  const { device, inode, modifiedAtNs } = identity;
  const file = { entry: ENTRY, name: NAME, kind: 'original' as const, sizeBytes: 4096, allocatedBytes: 4096 };
  return { ...file, ...times, verdict, reason, identity: { device, inode, modifiedAtNs }, ...over };
}

function trashOf(...files: PlannedTrashedFile[]): Plan['trash'] {
  const none = { trashedFiles: 0, trashedBytes: 0, restoredFiles: 0, restoredBytes: 0, emptiedFiles: 0, emptiedBytes: 0 };
  return { ...TRASH_ON, files, totals: { files: files.length, allocatedBytes: 0, dueFiles: 0, dueBytes: 0, ...none } };
}

describe('executor: removals into the trash', () => {
  it('should move the file there under its lock and the image lock, and unlink nothing', async () => {
    const { directory, locker, execute } = setUp();
    const { outcomes } = await execute({ files: [removal(directory)] });
    expect(outcomes).toEqual({ [NAME]: 'trashed' });
    expect(directory.log).toEqual([`take ${NAME} ${NAME}.${NOW_MS}`]);
    expect(locker.log).toEqual([`lock ${NAME}`, `release ${NAME}`]);
    expect([directory.names, directory.trashed]).toEqual([[], [`${NAME}.${NOW_MS}`]]);
    expect(directory.closed).toBe(directory.opened);
  });

  it('should make no trash where nothing goes there', async () => {
    const { directory, execute } = setUp();
    directory.openInQemu.add(NAME);
    expect((await execute({ files: [removal(directory)] })).outcomes).toEqual({ [NAME]: 'InUseByQemu' });
    expect(directory.trashed).toBeUndefined();
  });

  it('should never unlink instead when the trash cannot be had', async () => {
    const { directory, execute } = setUp();
    directory.failures.set('openTrash', 'ELOOP');
    const { outcomes, message } = await execute({ files: [removal(directory)] });
    expect([outcomes, message]).toEqual([{ [NAME]: 'RemovalFailed' }, 'ELOOP: as the test wants it']);
    expect(directory.names).toEqual([NAME]);
  });

  it('should ask for the trash once in a pass: what it cannot have for one file, it has for none, and what it opens it closes', async () => {
    const { directory, execute } = setUp();
    const [first, second] = [removal(directory), plannedFile('b'.repeat(40), 'remove', directory.put('b'.repeat(40), NOW_MS - 2 * DAY_MS))];
    directory.failures.set('openTrash', 'EIO');
    // It could be had for the second one.
    const failureOf = directory.failures.get.bind(directory.failures);
    directory.failures.get = (operation) => {
      const failure = failureOf(operation);
      if (operation === 'openTrash') directory.failures.delete(operation);
      return failure;
    };
    expect((await execute({ files: [first, second] })).outcomes).toEqual({ [NAME]: 'RemovalFailed', [second.name]: 'RemovalFailed' });
    directory.failures.clear();
    const before = directory.opened;
    expect((await execute({ files: [first, second] })).outcomes).toEqual({ [NAME]: 'trashed', [second.name]: 'trashed' });
    expect([directory.opened - before, directory.closed]).toEqual([2, directory.opened]);
  });

  it('should give a file back that was touched or replaced between the last look and the move, before its lock is released', async () => {
    for (const happens of ['touched', 'replaced'] as const) {
      const { directory, locker, execute } = setUp();
      directory.onTake = (name) =>
        happens === 'touched' ? directory.setModified(name, NOW_MS) : void directory.put(name, NOW_MS - 2 * DAY_MS);
      const { outcomes, message } = await execute({ files: [removal(directory)] });
      expect([outcomes, message]).toEqual([{ [NAME]: 'ChangedSincePlan' }, expect.stringContaining('is back')]);
      expect([directory.names, directory.trashed]).toEqual([[NAME], []]);
      expect(directory.log.slice(-2)).toEqual([`give back ${NAME}.${NOW_MS} ${NAME}`, `unlink ${NAME}.${NOW_MS}`]);
      expect(locker.log).toEqual([`lock ${NAME}`, `release ${NAME}`]);
    }
  });

  it('should never unlink instead when the file cannot be moved', async () => {
    const { directory, execute } = setUp();
    directory.putTrashed(`${NAME}.${NOW_MS}`, TRASHED_MS);
    expect((await execute({ files: [removal(directory)] })).outcomes).toEqual({ [NAME]: 'RemovalFailed' });
    expect([directory.names, directory.log]).toEqual([[NAME], []]);
  });

  it('should open the trash before the last look at the file, which comes last', async () => {
    const { directory, execute } = setUp();
    let openedAtLastLook = 0;
    directory.onStat = (name) => void (name === NAME && (openedAtLastLook = directory.opened));
    await execute({ files: [removal(directory)] });
    expect([openedAtLastLook, directory.trashed]).toEqual([2, [`${NAME}.${NOW_MS}`]]);
  });

  const pressure = { highThresholdPercent: 85, lowThresholdPercent: 80 };
  const underPressure = { ...pressure, usedPercent: 90, bytesToFree: 100, plannedBytes: 100, projectedUsedPercent: 80 };

  it.each([
    [100, 'removed'],
    [200, 'trashed'],
  ])('should remove for good only while the file system is too full (%i of 1000 free)', async (availableBytes, outcome) => {
    const { directory, execute } = setUp();
    directory.filesystem = { sizeBytes: 1000, availableBytes };
    expect((await execute({ files: [removal(directory)], pressure: underPressure }, { policy: { pressure } })).outcomes).toEqual({
      [NAME]: outcome,
    });
  });

  it('should not move to the trash what only pressure asks for', async () => {
    const { directory, execute } = setUp();
    directory.filesystem = { sizeBytes: 1000, availableBytes: 100 };
    const file = removal(directory, { reason: 'UnderPressure' });
    expect((await execute({ files: [file], pressure: underPressure }, { policy: { pressure } })).outcomes).toEqual({ [NAME]: 'removed' });
  });
});

describe('executor: putting files back', () => {
  it('should put the file back under its lock, young again, even with a closed gate', async () => {
    const { directory, locker, execute } = setUp();
    const row = trashRow('restore', directory.putTrashed(ENTRY, TRASHED_MS));
    const gate = { open: false, reasons: [] };
    expect((await execute({ trash: trashOf(row), gate })).trash).toEqual({ [ENTRY]: 'restored' });
    expect(directory.log).toEqual([`touch ${ENTRY}`, `give back ${ENTRY} ${NAME}`]);
    expect(directory.statOf(NAME).modifiedAtMs).toBe(NOW_MS);
    expect(locker.log).toEqual([`lock ${NAME}`, `release ${NAME}`]);
  });

  it.each<[string, boolean, readonly Objection[], readonly string[]]>([
    ['nobody names it there', true, [], []],
    ['a disk names it there', true, [{ kind: 'use', message: 'vm-1/disk' }], [ENTRY]],
    ['the evidence became incomplete', true, [{ kind: 'gate', message: 'SourceStale: api' }], [ENTRY]],
    ['the gate is closed', false, [], [ENTRY]],
  ])('should leave its name in the trash unless the gate is open and nobody uses it: %s', async (_, open, objections, left) => {
    for (const reason of ['NeededAgain', 'UnfinishedMove'] as const) {
      const { directory, execute } = setUp();
      const identity = directory.putTrashed(ENTRY, TRASHED_MS);
      if (reason === 'UnfinishedMove') directory.linkFromTrash(ENTRY, NAME);
      const inUse = perFile(async (name) => (name === ENTRY ? [...objections] : []));
      await execute({ trash: trashOf(trashRow('restore', identity, { reason })), gate: { open, reasons: [] } }, { inUse });
      expect([directory.names, directory.trashed]).toEqual([[NAME], left]);
    }
  });

  it('should leave both where the base directory has a file of that name by now', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('restore', directory.putTrashed(ENTRY, TRASHED_MS));
    directory.put(NAME, NOW_MS);
    const { trash, message } = await execute({ trash: trashOf(row) });
    expect([trash, message]).toEqual([{ [ENTRY]: 'kept' }, 'The base directory has a file of this name again, which stays.']);
    expect([directory.names, directory.trashed]).toEqual([[NAME], [ENTRY]]);
  });

  it('should only take the second name away where a crash left two', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('restore', directory.putTrashed(ENTRY, TRASHED_MS), { reason: 'UnfinishedMove' });
    directory.linkFromTrash(ENTRY, NAME);
    // A pass touches what is in use before it comes to the trash.
    directory.setModified(NAME, NOW_MS);
    expect((await execute({ trash: trashOf(row) })).trash).toEqual({ [ENTRY]: 'restored' });
    expect([directory.names, directory.trashed]).toEqual([[NAME], []]);
  });

  it('should keep the last name of a file, whatever the plan took it for', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('restore', directory.putTrashed(ENTRY, TRASHED_MS), { reason: 'UnfinishedMove' });
    expect((await execute({ trash: trashOf(row) })).trash).toEqual({ [ENTRY]: 'ChangedSincePlan' });
    expect(directory.trashed).toEqual([ENTRY]);
  });

  it('should report what cannot be put back', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('restore', directory.putTrashed(ENTRY, TRASHED_MS));
    directory.failures.set(`touch ${ENTRY}`, 'EROFS');
    expect((await execute({ trash: trashOf(row) })).trash).toEqual({ [ENTRY]: 'RestoreFailed' });
  });
});

describe('executor: emptying the trash', () => {
  it('should ask for the file by both its names, and then unlink it under its lock', async () => {
    const { directory, locker, execute } = setUp();
    const asked: string[] = [];
    const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
    const inUse = perFile(async (name) => {
      asked.push(name);
      return [];
    });
    expect((await execute({ trash: trashOf(row) }, { inUse })).trash).toEqual({ [ENTRY]: 'emptied' });
    expect([asked, directory.log, locker.log[0]]).toEqual([[ENTRY, NAME], [`unlink ${ENTRY}`], `lock ${NAME}`]);
  });

  it('should put the file back that somebody has come to need', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
    expect((await execute({ trash: trashOf(row) }, { inUse: usedBy(NAME) })).trash).toEqual({ [ENTRY]: 'restored' });
    expect([directory.names, directory.trashed]).toEqual([[NAME], []]);
  });

  it('should not ask who uses the name where the base directory has a file for it', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
    directory.put(NAME, NOW_MS);
    expect((await execute({ trash: trashOf(row) }, { inUse: usedBy(NAME) })).trash).toEqual({ [ENTRY]: 'emptied' });
    expect(directory.names).toEqual([NAME]);
  });

  it('should keep a file that a disk stands on where it lies, and everything when the gate closes', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
    expect((await execute({ trash: trashOf(row) }, { inUse: usedBy(ENTRY) })).trash).toEqual({ [ENTRY]: 'ChangedSincePlan' });
    const closing = perFile(async () => [{ kind: 'gate', message: 'SourceStale: api' }]);
    expect((await execute({ trash: trashOf(row) }, { inUse: closing })).trash).toEqual({ [ENTRY]: 'ChangedSincePlan' });
    expect([directory.names, directory.trashed]).toEqual([[], [ENTRY]]);
  });

  it.each([true, false])(
    'should keep a file that a QEMU has open unless it is told not to look (live use check: %s)',
    async (liveUseCheck) => {
      const { directory, execute } = setUp();
      const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
      directory.openInQemu.add(ENTRY);
      expect((await execute({ trash: trashOf(row) }, { policy: { liveUseCheck } })).trash).toEqual({
        [ENTRY]: liveUseCheck ? 'InUseByQemu' : 'emptied',
      });
    },
  );

  it.each([{ inode: '1' }, { modifiedAtNs: '1' }])(
    'should keep another file than the planned one, also without asking QEMU: %j',
    async (over) => {
      const { directory, execute } = setUp();
      const row = trashRow('empty', { ...directory.putTrashed(ENTRY, TRASHED_MS), ...over });
      expect((await execute({ trash: trashOf(row) }, { policy: { liveUseCheck: false } })).trash).toEqual({ [ENTRY]: 'ChangedSincePlan' });
      expect(directory.trashed).toEqual([ENTRY]);
    },
  );

  it('should look at the file once more when nobody uses it', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
    const inUse = perFile(async () => {
      directory.putTrashed(ENTRY, TRASHED_MS);
      return [];
    });
    const { trash } = await execute({ trash: trashOf(row) }, { inUse, policy: { liveUseCheck: false } });
    expect([trash, directory.trashed]).toEqual([{ [ENTRY]: 'ChangedSincePlan' }, [ENTRY]]);
  });

  it.each<[string, () => Promise<Objection[]>, string]>([
    ['the evidence becomes incomplete', async () => [{ kind: 'gate', message: 'SourceStale: api' }], 'ChangedSincePlan'],
    ['there is no answer', async () => await Promise.reject(new Error('no answer')), 'RemovalFailed'],
  ])('should keep a file when %s as its old name is asked for', async (_, answer, outcome) => {
    const { directory, execute } = setUp();
    const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
    const inUse = perFile(async (name) => (name === NAME ? await answer() : []));
    expect((await execute({ trash: trashOf(row) }, { inUse })).trash).toEqual({ [ENTRY]: outcome });
    expect([directory.names, directory.trashed]).toEqual([[], [ENTRY]]);
  });

  it('should keep a file when one of its names has no answer', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
    const inUse: UseCheck = async (names) => new Map(names.filter((name) => name !== NAME).map((name) => [name, []]));
    expect((await execute({ trash: trashOf(row) }, { inUse })).trash).toEqual({ [ENTRY]: 'RemovalFailed' });
    expect(directory.trashed).toEqual([ENTRY]);
  });

  it('should refuse what no plan of ours says', async () => {
    const { directory, execute } = setUp();
    const identity = directory.putTrashed(ENTRY, TRASHED_MS);
    const refused = async (row: PlannedTrashedFile, open = true) => {
      const { trash, message } = await execute({ trash: trashOf(row), gate: { open, reasons: [] } });
      return [Object.values(trash)[0], message];
    };
    expect(await refused(trashRow('empty', identity), false)).toEqual(['kept', 'Refused: the gate is closed.']);
    expect(await refused(trashRow('restore', identity, { name: baseName('another') }))).toEqual(['kept', 'Refused: the file is not ours.']);
    expect(await refused(trashRow('restore', identity, { kind: 'foreign' }))).toEqual(['kept', 'Refused: the file is not ours.']);
    expect(await refused(trashRow('empty', identity, { entry: '../x' }))).toEqual(['kept', 'Refused: this is not a file name.']);
    const early = trashRow('empty', identity, { graceEndsAt: new Date(NOW_MS + 1).toISOString() });
    expect(await refused(early)).toEqual(['ChangedSincePlan', 'Its grace ends at 2026-11-23T14:00:00.001Z.']);
    const other = trashRow('empty', { ...identity, inode: '1' });
    expect((await refused(other))[0]).toBe('ChangedSincePlan');
    expect(directory.trashed).toEqual([ENTRY]);
  });

  it('should stop emptying under pressure once enough is free', async () => {
    const { directory, execute } = setUp();
    const later = `${NAME}.${TRASHED_MS + 1}`;
    const times = { trashedAt: new Date(TRASHED_MS + 1).toISOString() };
    const rows = [
      trashRow('empty', directory.putTrashed(later, TRASHED_MS), { entry: later, reason: 'UnderPressure', ...times }),
      trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS), { reason: 'UnderPressure' }),
    ];
    directory.filesystem = { sizeBytes: 1000, availableBytes: 0 };
    directory.onUnlink = () => {
      directory.filesystem = { sizeBytes: 1000, availableBytes: 900 };
    };
    const policy = { pressure: { highThresholdPercent: 85, lowThresholdPercent: 80 } };
    expect((await execute({ trash: trashOf(...rows) }, { policy })).trash).toEqual({ [ENTRY]: 'emptied', [later]: 'kept' });
  });

  it('should abandon what is left when the pass is stopped', async () => {
    const { directory, execute } = setUp();
    const row = trashRow('empty', directory.putTrashed(ENTRY, TRASHED_MS));
    expect((await execute({ trash: trashOf(row) }, { signal: AbortSignal.abort() })).trash).toEqual({ [ENTRY]: 'Abandoned' });
  });

  it('should take a trash that is gone for what it is', async () => {
    const { directory, execute } = setUp();
    const identity = { device: '1', inode: '1', modifiedAtNs: '0' };
    expect((await execute({ trash: trashOf(trashRow('empty', identity)) })).trash).toEqual({ [ENTRY]: 'AlreadyGone' });
    expect(directory.trashed).toBeUndefined();
  });
});
