import type { MutantsOf } from './mutant.ts';

const EXECUTOR = 'test/unit/execute/executor.test.ts';
const REPLAY = 'test/integration/model-replay.test.ts';
const BATCHES = 'test/unit/execute/batches.test.ts';
const RECORDING = 'test/unit/execute/recording.test.ts';
const RECHECK = 'test/unit/execute/recheck.test.ts';
const REFUSAL = 'test/unit/execute/refusal.test.ts';
const CYCLE = 'test/unit/pass/pass.test.ts';
const DIRECTORY = 'test/contract/execute/base-directory.test.ts';
const LOCKER = 'test/contract/execute/file-locker.test.ts';
const LOCK = 'test/integration/execute/file-lock.test.ts';
const NEW_LOCK = 'test/integration/execute/lock-file-new.test.ts';
const OWNED = 'test/integration/execute/owned-directory.test.ts';
const LOCK_RACE = 'test/integration/execute/file-lock-race.test.ts';
const OPEN_RACE = 'test/integration/execute/open-race.test.ts';
const REAL_EXECUTOR = 'test/integration/execute/executor.test.ts';

/** Design §5: what happens between the plan and the unlink, and who may be asked for what. */
export const EXECUTION: readonly MutantsOf[] = [
  {
    file: 'src/pass/pass.ts',
    tests: [CYCLE],
    mutants: [
      { rule: 'a dry run executes nothing', from: 'options.dryRun ? undefined : await timed', to: 'await timed' },
      {
        rule: 'the base directory is scanned before the references are collected',
        from: "const scan = await timed('scan', () => parts.scanner.scan(options));",
        to: "await gatherEvidence(parts, options, timed, { sources: 'as known', knownRaw: undefined });\n    const scan = await timed('scan', () => parts.scanner.scan(options));",
      },
      {
        rule: 'under the lock, sources and overlays are asked again',
        from: 'return reasonsToStay(\n',
        to: 'return new Map(fileNames.map((name) => [name, []]));\n    reasonsToStay(\n',
      },
      {
        rule: 'under the lock, base files that were known to be raw are looked at again',
        from: 'has: (name: string) => unused?.has(name) === true && !images.has(name)',
        to: 'has: (name: string) => scan.knownRaw?.has(name) === true && !images.has(name)',
        tests: ['test/integration/known-raw.test.ts'],
      },
      {
        rule: 'under the lock, a base file that goes and names others is looked at again',
        from: ' && !images.has(name)',
        to: '',
      },
      {
        rule: 'under the lock, the sources are read again',
        from: 'return async (fileNames, signal, unused) => {\n    const inventory = await readSources(parts.sources, false, signal);',
        to: 'const first = readSources(parts.sources, false, undefined);\n  return async (fileNames, signal, unused) => {\n    const inventory = await first;',
      },
      {
        rule: 'under the lock, the overlays are read again',
        from: 'return async (fileNames, signal, unused) => {\n',
        to: 'const first = parts.overlays.scan({ instanceNames: new Set() });\n  parts = { ...parts, overlays: { scan: () => first } };\n  return async (fileNames, signal, unused) => {\n',
      },
    ],
  },
  {
    file: 'src/plan/gate/current-use.ts',
    tests: [CYCLE, 'test/unit/plan/gate/current-use.test.ts'],
    mutants: [
      {
        rule: 'asked again: an image that a workload names by now',
        from: 'digest === undefined ? [] : (references.byDigest.get(digest) ?? [])',
        to: '[]',
      },
      { rule: 'asked again: a file that a workload names by now', from: '[references.byName, ', to: '[' },
      { rule: 'asked again: a pin that was set by now', from: '...pinsOf(fileName, digest),', to: '' },
      {
        rule: 'asked again: an overlay that uses it by now',
        from: 'indexOverlays(overlays.overlays), ',
        to: '',
      },
      {
        rule: 'asked again: a base file that uses it by now',
        from: ', indexBaseImages(overlays.baseImages)]',
        to: ']',
      },
      {
        rule: 'asked again: evidence that is incomplete by now',
        from: 'closuresOf(evidence).map(',
        to: 'closuresOf(evidence).slice(0, 0).map(',
      },
    ],
  },
  {
    file: 'src/execute/refusal.ts',
    tests: [REFUSAL, EXECUTOR],
    mutants: [
      { rule: 'the executor refuses what is not a file name', from: 'if (!isEntryName(file.name))', to: 'if (false)' },
      { rule: 'the executor refuses foreign files, whatever a plan says', from: "if (file.kind === 'foreign')", to: 'if (false)' },
      {
        rule: 'the executor removes nothing by a plan whose gate is closed',
        from: "if (file.verdict === 'remove' && !gate.open)",
        to: 'if (false)',
      },
    ],
  },
  {
    file: 'src/execute/executor.ts',
    tests: [EXECUTOR, 'test/unit/execute/pressure.test.ts'],
    mutants: [
      {
        rule: 'what is young or in use is looked at again for each batch',
        from: "if (file.reason === 'RemovalLimitReached')",
        to: "if (file.verdict === 'keep')",
        tests: [BATCHES],
      },
      { rule: 'what stays after all is looked at like any other file', from: 'run.unused.delete(name);', to: '', tests: [BATCHES] },
      { rule: 'a refusal keeps the file', from: 'if (refusal !== undefined) return', to: 'if (refusal === null) return' },
      {
        rule: 'all touches come before the first removal',
        from: "else if (file.verdict === 'remove') removals.push(index);",
        to: "else if (file.verdict === 'remove') await removeInBatches(run, removalsOf(run, [index]));",
      },
      {
        rule: 'a verdict of keep is never carried out',
        from: "if (file.verdict === 'touch') {",
        to: "if (file.verdict === 'touch' || file.verdict === 'keep') {",
      },
    ],
  },
  {
    file: 'src/execute/relief.ts',
    tests: ['test/unit/execute/pressure.test.ts', 'test/unit/execute/budget.test.ts'],
    mutants: [
      { rule: 'pressure: what is not needed any more stays', from: '!isRelieved(usage(), policy.pressure)', to: 'true' },
      { rule: 'budget: a file that has another name frees nothing', from: 'if (freedNothing === true) return;', to: '' },
      { rule: 'budget: what is not needed any more stays', from: 'plan.budget.heldBytes - this.#freedBytes > limits.lowBytes', to: 'true' },
    ],
  },
  {
    file: 'src/report/build-report.ts',
    tests: ['test/unit/report/build-report.test.ts'],
    mutants: [
      {
        rule: 'figures: what another name of a file keeps is not freed',
        from: 'if (found.freedNothing !== true) removedBytes',
        to: 'removedBytes',
      },
    ],
  },
  {
    file: 'src/report/trash.ts',
    tests: ['test/unit/report/trash.test.ts'],
    mutants: [
      {
        rule: 'figures: what another name of a file in the trash keeps is not freed',
        from: 'if (freedNothing === true)',
        to: 'if (totals.files < 0)',
      },
    ],
  },
  {
    file: 'src/report/node/writer.ts',
    tests: ['test/unit/report/node/kube-reporter.test.ts'],
    mutants: [
      {
        rule: 'the node names the last removal, whatever pass came after it',
        from: 'removalOf(report) ?? this.#removal;',
        to: 'removalOf(report);',
      },
    ],
  },
  {
    file: 'src/execute/batches.ts',
    tests: [REPLAY],
    mutants: [
      {
        rule: 'replay: the evidence is read after the last lock was had',
        from: '    takeLocks(parts,',
        to: "    parts = { ...parts, inUse: ((answers) => async () => answers)(await parts.inUse(['f0', 'f1', 'f2'], parts.signal)) };\n    takeLocks(parts,",
      },
      {
        rule: 'replay: the lock of each file is taken',
        from: 'const lock = tryLock(locks, removal.lockName);',
        to: 'const lock = locks === null ? undefined : { waitedSeconds: 0, release: () => {} };',
      },
      {
        rule: 'replay: a busy file is dealt with after the others, with a lock of its own',
        from: '    await removeAlone(parts, removal);',
        to: "    removal.settled({ outcome: 'LockBusy' });",
      },
      {
        rule: 'replay: lock files that go, go before their locks are released',
        from: '  lock.release({ remove: removal.removeLockFile });',
        to: '  lock.release({ remove: false });',
      },
    ],
  },
  {
    file: 'src/execute/remove-file.ts',
    tests: [REPLAY],
    mutants: [
      {
        rule: 'replay: the file is looked at once more just before it goes',
        from: 'return recheckNow(parts, file, current) ?? discard(current);',
        to: 'return discard(current);',
      },
      {
        rule: 'replay: what was touched as it went to the trash comes back',
        from: "if (isThePlanned || trash.giveBack(entry, name) === 'exists')",
        to: 'if (isThePlanned || moved !== undefined)',
      },
    ],
  },
  {
    file: 'src/execute/trash/trashed-file.ts',
    tests: [REPLAY],
    mutants: [
      {
        rule: 'replay: what somebody has come to need goes back from the trash',
        from: "if (users.some(({ kind }) => kind === 'use'))",
        to: 'if (parts === undefined)',
      },
    ],
  },
  {
    file: 'src/execute/recording.ts',
    tests: [RECORDING],
    mutants: [
      {
        rule: 'the ledger: a removal is recorded before it happens',
        from: 'if (record === undefined) return',
        to: 'if (record !== undefined) return',
      },
      {
        rule: 'the ledger: a file whose record cannot be written stays',
        from: "return wanted.map(([removal]) => [removal, { is: 'refused', result: failure }]);",
        to: 'return wanted.map(([removal]) => [removal, UNRECORDED]);',
      },
      {
        rule: 'the ledger: a file that may not go without its record stays',
        from: "return wanted.map(([it]) => [it, { is: 'refused', result: number }]);",
        to: 'return wanted.map(([it]) => [it, UNRECORDED]);',
      },
      {
        rule: 'the ledger: a file that goes without its record was looked at under its lock',
        from: 'attempt(() => freesNothing(intent, removal.seen()))',
        to: 'attempt(() => freesNothing(intent, { links: 1, allocatedBytes: 1 } as never))',
      },
      { rule: 'the ledger: a file without room for its record waits', from: '?? LATE', to: '?? UNRECORDED' },
    ],
  },
  {
    file: 'src/execute/frees-nothing.ts',
    tests: ['test/faults/full-disk.test.ts'],
    mutants: [
      { rule: 'the ledger: a file with another name makes no room for its record', from: 'seen.links > 1', to: 'seen.links < 1' },
      {
        rule: 'the ledger: a file that takes no space makes no room for its record',
        from: 'seen.allocatedBytes > 0',
        to: 'seen.allocatedBytes >= 0',
      },
      {
        rule: 'the ledger: a file that goes to the trash makes no room for its record',
        from: "action === 'trash'",
        to: "action === 'unlink' && seen === undefined",
      },
    ],
  },
  {
    file: 'src/execute/remove-file.ts',
    tests: [RECORDING],
    mutants: [
      {
        rule: 'the ledger: what the evidence objects to is not recorded as going',
        from: 'objectionIn(answerFor(file.name)) ?? intentOf(',
        to: 'intentOf(',
      },
    ],
  },
  {
    file: 'src/execute/batches.ts',
    tests: [BATCHES, EXECUTOR],
    mutants: [
      {
        rule: 'batches: the evidence is read after the last lock was had',
        from: '    takeLocks(parts,',
        to: '    parts = { ...parts, inUse: ((answers) => async () => answers)(await parts.inUse(Array.from({ length: 2000 }, (_, index) => `f${index}`), parts.signal)) };\n    takeLocks(parts,',
      },
      {
        rule: 'batches: a lock that somebody holds is not taken for had',
        from: 'if (lock === undefined) {\n    busy.push(removal);\n    return;\n  }',
        to: 'if (lock === undefined) {\n    held.push({ removal, lock: { waitedSeconds: 0, release: () => {} } });\n    return;\n  }',
      },
      {
        rule: 'batches: no lock is released before its file is dealt with',
        from: 'const settled = settleAll(parts, queue,',
        to: 'for (const { lock } of held) lock.release({ remove: false });\n    const settled = settleAll(parts, queue,',
      },
      {
        rule: 'batches: every lock is released, whatever happens',
        from: '    for (const { lock } of held) lock.release({ remove: false });\n    locks.close();',
        to: '    locks.close();',
      },
      {
        rule: 'batches: a stop while the evidence is read keeps the batch',
        from: 'stopped(parts) ?? attempt(() => removal.settle(answerFor))',
        to: 'attempt(() => removal.settle(answerFor))',
      },
      {
        rule: 'a pass that was stopped removes nothing more',
        from: "return signal?.aborted === true ? { outcome: 'Abandoned' } : undefined;",
        to: 'return signal === null ? { outcome: "Abandoned" } : undefined;',
      },
      {
        rule: 'batches: no lock is held for longer than its time',
        from: '(index > 0 && parts.clock.now().monotonicMs >= untilMs)',
        to: 'untilMs < 0',
      },
    ],
  },
  {
    file: 'src/execute/under-lock.ts',
    tests: [EXECUTOR],
    mutants: [
      {
        rule: 'nothing is removed without its lock',
        from: 'lock = await takeLock(parts, name);',
        to: 'lock = (await takeLock(parts, name)) ?? { waitedSeconds: 0, release: () => {} };',
      },
      {
        rule: 'the lock is taken before anything is checked',
        from: '    lock = await takeLock(parts, name);',
        to: '    const early = await work();\n    work = () => early;\n    lock = await takeLock(parts, name);',
      },
      {
        rule: 'the lock is free again afterwards, whatever happened',
        from: 'lock.release({ remove: removeLockFile });',
        to: '',
      },
      {
        rule: 'no answer to who uses it means in use',
        from: 'return () => noAnswer(messageOf(error));',
        to: 'return () => [];',
      },
      {
        rule: 'a file that the answers leave out stays',
        from: "answers.get(name) ?? noAnswer('it was not among the answers')",
        to: 'answers.get(name) ?? []',
      },
      {
        rule: 'a question that was given up means in use',
        from: "if (answers === 'aborted') return () => ({ outcome: 'Abandoned' });",
        to: "if (answers === 'aborted') return () => [];",
      },
    ],
  },
  {
    file: 'src/execute/remove-file.ts',
    tests: [EXECUTOR],
    mutants: [
      {
        rule: 'the users are asked again under the lock',
        from: 'objectionIn(answerFor(file.name)) ?? parts.refused()',
        to: 'parts.refused()',
      },
      {
        rule: 'the file is looked at once more just before it goes',
        from: 'return recheckNow(parts, file, current) ?? discard(current);',
        to: 'return discard(current);',
      },
      {
        rule: 'live-use check: QEMU’s image locks are asked for',
        from: 'parts.policy.liveUseCheck ? underImageLock(parts.directory, file.name, file.identity, removeChecked) : removeChecked()',
        to: 'removeChecked()',
      },
      { rule: 'the age is asked of the clock as it is now', from: 'nowMs: clock.now().wallMs,', to: 'nowMs: Number.MAX_SAFE_INTEGER,' },
    ],
  },
  {
    file: 'src/execute/recheck.ts',
    tests: [RECHECK, EXECUTOR],
    mutants: [
      { rule: 'recheck: another device is another file', from: 'planned.device === current.device', to: 'true' },
      { rule: 'recheck: another inode is another file', from: 'planned.inode === current.inode', to: 'true' },
      { rule: 'recheck: what is not a regular file is another file', from: 'return current.regular && ', to: 'return ' },
      { rule: 'recheck: another file under the name stays', from: 'if (!isSameFile(planned, current)) return', to: 'if (false) return' },
      { rule: 'recheck: a file whose mtime moved stays', from: 'if (current.modifiedAtNs !== planned.modifiedAtNs) {', to: 'if (false) {' },
      {
        rule: 'recheck: a file below its minimum age stays',
        from: 'Math.max(input.minimumAgeSeconds, input.minimumAgeFloorSeconds)',
        to: 'input.minimumAgeFloorSeconds',
      },
      {
        rule: 'recheck: a file below the floor stays',
        from: 'Math.max(input.minimumAgeSeconds, input.minimumAgeFloorSeconds)',
        to: 'input.minimumAgeSeconds',
      },
      {
        rule: 'recheck: an age that is not a number is too young',
        from: 'if (ageSeconds >= minimumSeconds) return undefined;',
        to: 'if (!(ageSeconds < minimumSeconds)) return undefined;',
      },
      {
        rule: 'recheck: a file that somebody uses now stays',
        from: 'if (reasons.length === 0) return undefined;',
        to: 'if (reasons.length >= 0) return undefined;',
      },
    ],
  },
  {
    file: 'src/execute/touch-file.ts',
    tests: [EXECUTOR],
    mutants: [
      {
        rule: 'another file under the name is not touched',
        from: 'if (!isSameFile(file.identity, current)) return',
        to: 'if (false) return',
      },
    ],
  },
  {
    file: 'src/disk/base-directory.ts',
    tests: [DIRECTORY, REAL_EXECUTOR, OPEN_RACE],
    mutants: [
      {
        rule: 'a base directory that became a symlink is refused',
        from: 'O_DIRECTORY | constants.O_NOFOLLOW);\n      return',
        to: 'O_DIRECTORY);\n      return',
        tests: [REAL_EXECUTOR],
      },
    ],
  },
  {
    file: 'src/disk/held-directory.ts',
    tests: [DIRECTORY, REAL_EXECUTOR, OPEN_RACE],
    mutants: [
      {
        rule: 'the directory stays the one that was opened, whatever takes the place of its path',
        from: 'const descriptorPath = `/proc/self/fd/${fd}`;',
        to: 'const descriptorPath = path;',
        tests: [REAL_EXECUTOR],
      },
      {
        rule: 'only file names reach the directory',
        from: "if (!closed && !isEntryName(name)) throw errnoError('EINVAL'",
        to: "if (false) throw errnoError('EINVAL'",
      },
      {
        rule: 'a descriptor that is closed is not used any more',
        from: "if (closed) throw errnoError('EBADF', `'${path}' is closed`);",
        to: '',
      },
      {
        rule: 'a touch follows no symlink',
        from: 'closeSync, lutimesSync',
        to: 'closeSync, utimesSync as lutimesSync',
        tests: [REAL_EXECUTOR],
      },
    ],
  },
  {
    file: 'src/disk/entry-stat.ts',
    tests: [DIRECTORY, REAL_EXECUTOR],
    mutants: [
      {
        rule: 'a stat follows no symlink',
        from: 'import { lstatSync',
        to: 'import { statSync as lstatSync',
        tests: [REAL_EXECUTOR],
      },
    ],
  },
  {
    file: 'src/disk/locks/image-lock.ts',
    tests: [DIRECTORY, REAL_EXECUTOR, OPEN_RACE],
    mutants: [
      { rule: 'what is not a regular file is never opened', from: "if (!seen.regular) return 'changed';", to: '', tests: [OPEN_RACE] },
      {
        rule: 'opening for the image lock follows no symlink',
        from: 'constants.O_RDWR | constants.O_NOFOLLOW |',
        to: 'constants.O_RDWR |',
        tests: [OPEN_RACE],
      },
      {
        rule: 'live-use check: the file whose locks are asked for is the planned one',
        from: "if (!isIdentical(toStat(fstatSync(fd, { bigint: true })), identity)) return 'changed';",
        to: '',
        tests: [DIRECTORY, OPEN_RACE],
      },
      {
        rule: 'live-use check: a file that a QEMU has open stays',
        from: "if (!tryLock(fd, IMAGE_LOCK_OFFSET, IMAGE_LOCK_LENGTH)) return 'busy';",
        to: '',
      },
      {
        rule: 'live-use check: the lock is held while the file goes',
        from: '    whileHeld();\n',
        to: '    closeSync(fd);\n    whileHeld();\n    openForLocking(path);\n',
      },
    ],
  },
  {
    file: 'src/disk/locks/nova-lock.ts',
    tests: [LOCKER, LOCK, LOCK_RACE],
    mutants: [
      {
        rule: 'a lock that somebody holds is not taken',
        from: 'tryLock(opened.fd) && leadsTo',
        to: '(tryLock(opened.fd) || true) && leadsTo',
      },
      {
        rule: 'a lock counts only while its path is the locked inode',
        from: ' && leadsTo(`${directory.path}/${name}`, opened);',
        to: ';',
        tests: [LOCK_RACE],
      },
      { rule: 'only file names reach the lock directory', from: 'if (!isEntryName(fileName)) throw', to: 'if (false) throw' },
      {
        rule: 'a lock file that replaced ours is not removed',
        from: 'if (leadsTo(path, file) && ',
        to: 'if (',
        tests: [LOCK],
      },
      { rule: 'a lock is released once, not over again when others have it', from: 'if (released) return;', to: '' },
    ],
  },
  {
    file: 'src/disk/locks/lock-file.ts',
    tests: [LOCK, LOCK_RACE, OPEN_RACE],
    mutants: [
      {
        rule: 'a lock path that is not a regular file is not opened',
        from: 'if (seen !== undefined && !seen.isFile()) throw',
        to: 'if (false) throw',
        tests: [LOCK, OPEN_RACE],
      },
      {
        rule: 'opening a lock file follows no symlink',
        from: 'constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;',
        to: 'constants.O_APPEND | constants.O_NONBLOCK;',
        tests: [OPEN_RACE, LOCK],
      },
      {
        rule: 'a lock file is looked at again once it is open',
        from: 'if (opened.isFile()) return',
        to: 'if (opened.dev !== undefined) return',
        tests: [OPEN_RACE, LOCK],
      },
      {
        rule: 'a new lock file is closed to all others until it is finished',
        from: 'const UNFINISHED_MODE = 0o600;',
        to: 'const UNFINISHED_MODE = 0o666;\nprocess.umask(0);',
        tests: [NEW_LOCK],
      },
      {
        rule: "a new lock file is Nova's before it has its name",
        from: 'return finish(fd, directory.fd);',
        to: 'place(temporary, path);\n    return finish(fd, directory.fd);',
        tests: [NEW_LOCK],
      },
      {
        rule: 'a lock file that somebody died of making is removed by the next',
        from: 'removeLeftovers(directory);',
        to: '',
        tests: [NEW_LOCK],
      },
    ],
  },
  {
    file: 'src/disk/owned-directory.ts',
    tests: [LOCK, LOCK_RACE],
    mutants: [
      {
        rule: 'a lock directory that is a symlink is refused',
        from: 'const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;',
        to: 'const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;',
      },
      {
        rule: 'a new directory is closed to all others until it is finished',
        from: 'const UNFINISHED_MODE = 0o700;',
        to: 'const UNFINISHED_MODE = 0o777;',
        tests: [OWNED],
      },
      {
        rule: 'a directory that somebody died of making is removed by the next',
        from: 'removeLeftovers(parentPath);',
        to: '',
        tests: [OWNED],
      },
      {
        rule: 'a lock directory whose parent is missing is not made up',
        from: "if (!hasErrno(error, 'ENOENT')) throw error;\n    throw errnoError('ENOENT'",
        to: "mkdirSync(dirname(path), { recursive: true });\n    return openParent(path);\n    throw errnoError('ENOENT'",
      },
    ],
  },
];
