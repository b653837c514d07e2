import type { MutantsOf } from './mutant.ts';

const PLAN = 'test/unit/plan/trash/rules.test.ts';
const EXECUTOR = 'test/unit/execute/trash.test.ts';
const DIRECTORY = 'test/contract/execute/base-directory.test.ts';
const REAL_TRASH = 'test/integration/trash.test.ts';

/** What goes from the trash is gone for good, and what comes back must take nobody's place. */
export const TRASH: readonly MutantsOf[] = [
  {
    file: 'src/execute/trash/recorded-restore.ts',
    tests: [REAL_TRASH],
    mutants: [
      { rule: 'the ledger: what somebody puts back is recorded', from: '(await record?.intend([intent])) ?? []', to: '[]' },
      {
        rule: 'trash: a ledger that cannot be written keeps nothing from coming back',
        from: 'return { problem: messageOf(error) };',
        to: 'throw error;',
      },
    ],
  },
  {
    file: 'src/plan/trash/rules.ts',
    tests: [PLAN],
    mutants: [
      { rule: 'trash: it is emptied only with an open gate', from: 'applies: ({ gateOpen }) => !gateOpen', to: 'applies: NEVER' },
      {
        rule: 'trash: it is emptied only where removals are on',
        from: 'applies: ({ policy }) => !policy.removeUnusedBaseImages',
        to: 'applies: NEVER',
      },
      {
        rule: 'trash: a file stays for its grace',
        from: '!(graceEndMs(facts, trashedAtMs) <= facts.nowMs)',
        to: 'false',
      },
      { rule: 'trash: a file that is needed again comes back', from: 'applies: isNeededAgain', to: 'applies: NEVER' },
      {
        rule: 'trash: a workload needs its file again',
        from: 'usagesByWorkload(facts, file).length > 0 ||',
        to: '',
      },
      {
        rule: 'trash: an overlay needs its file again',
        from: 'usagesByOverlay(facts, file).length > 0 ||',
        to: '',
      },
      { rule: 'trash: a pin needs its file again', from: 'facts.pinsOf(file.name, digestOf(file)).length > 0', to: 'false' },
      { rule: 'trash: only the newest of a name comes back', from: ' || facts.newestMs.get(file.name) !== file.trashedAtMs', to: '' },
      { rule: 'trash: nothing comes back over a base file', from: 'facts.present.has(file.name) || ', to: '' },
      { rule: 'trash: what a disk names where it lies stays', from: 'applies: isNamedInTrash', to: 'applies: NEVER' },
      {
        rule: 'trash: what a crash left with two names keeps the right one',
        from: 'facts.gateOpen && isSameAsBaseFile(facts, file)',
        to: 'false',
      },
      {
        rule: 'trash: what a crash left with two names keeps both while the gate is closed',
        from: 'facts.gateOpen && isSame',
        to: 'isSame',
      },
      { rule: 'trash: no more is emptied than may be removed', from: 'over.slice(limit)', to: '[] as typeof over' },
      {
        rule: 'trash: pressure takes nothing that the rules keep',
        from: 'verdicts[index] === WITHIN_GRACE || verdicts[index] === LIMIT_REACHED;',
        to: 'true;',
      },
    ],
  },
  {
    file: 'src/execute/remove-file.ts',
    tests: ['test/unit/execute/trash.test.ts', 'test/integration/execute/trash-race.test.ts'],
    mutants: [
      {
        rule: 'trash: what was touched as it was moved is given back',
        from: 'isUnchanged(identity, moved)',
        to: '(moved.inode === identity.inode)',
      },
      {
        rule: 'trash: what took the place of the file as it was moved is given back',
        from: '|| isUnchanged(identity, moved)',
        to: '|| moved.modifiedAtNs === identity.modifiedAtNs',
      },
      {
        rule: 'trash: it is opened before the last look at the file',
        from: '    const discard = trash === undefined ? unlinking(parts, file) : trashing(parts, file, trash);\n    const current = parts.directory.stat(file.name);\n',
        to: '    const current = parts.directory.stat(file.name);\n    const discard = trash === undefined ? unlinking(parts, file) : trashing(parts, file, trash);\n',
      },
    ],
  },
  {
    file: 'src/execute/trash/execute-trash.ts',
    tests: [EXECUTOR],
    mutants: [{ rule: 'trash: a file keeps its name there while the gate is closed', from: 'if (run.plan.gate.open) await', to: 'await' }],
  },
  {
    file: 'src/disk/locks/nova-lock.ts',
    tests: ['test/integration/trash-names.test.ts'],
    mutants: [{ rule: 'a lock file that has bytes stays', from: ' && fstatSync(file.fd).size === 0', to: '' }],
  },
  {
    file: 'src/overlays/tree-walk.ts',
    tests: ['test/integration/trash-names.test.ts'],
    mutants: [
      {
        rule: 'no directory of this program is left out',
        from: '    if (found.depth >= MAX_DEPTH) {',
        to: "    if (found.name === '.basekeeper-checksums') return false;\n    if (found.depth >= MAX_DEPTH) {",
      },
    ],
  },
  {
    file: 'src/execute/trash/trash-holder.ts',
    tests: [EXECUTOR],
    mutants: [
      { rule: 'trash: one that cannot be had for one file is had for none', from: 'if (failure !== undefined) throw failure;', to: '' },
      { rule: 'trash: it is opened once in a pass', from: 'opened ??= directory', to: 'opened = directory' },
      { rule: 'trash: it is closed with the pass', from: 'close: () => opened?.close(),', to: 'close: () => {},' },
      {
        rule: 'trash: none is made where nothing goes there',
        from: 'openTrash(options)',
        to: 'openTrash({ create: options.create || true })',
      },
    ],
  },
  {
    file: 'src/plan/build-plan.ts',
    tests: [PLAN],
    mutants: [
      {
        rule: 'trash: emptying it takes a consistent list as well',
        from: ' || (trash?.totals.dueFiles ?? 0) > 0',
        to: '',
      },
    ],
  },
  {
    file: 'src/execute/refusal.ts',
    tests: [EXECUTOR],
    mutants: [
      {
        rule: 'trash: the executor refuses what is not a file name',
        from: 'if (!isEntryName(file.entry) || !isEntryName(file.name))',
        to: 'if (false)',
      },
      {
        rule: 'trash: the executor gives no file another name than its own',
        from: 'parseTrashEntryName(file.entry)?.name !== file.name',
        to: 'false',
      },
      { rule: 'trash: the executor refuses foreign files', from: "file.kind === 'foreign' || parse", to: 'parse' },
      {
        rule: 'trash: the executor empties nothing by a plan whose gate is closed',
        from: "if (file.verdict === 'empty' && !gate.open)",
        to: 'if (false)',
      },
    ],
  },
  {
    file: 'src/execute/trash/trashed-file.ts',
    tests: [EXECUTOR],
    mutants: [
      {
        rule: 'trash: another file than the planned one is not emptied',
        from: 'if (isUnchanged(identity, current)) return',
        to: 'if (identity.modifiedAtNs === current.modifiedAtNs) return',
      },
      {
        rule: 'trash: a file that was modified in there is not emptied',
        from: 'isUnchanged(identity, current)',
        to: 'isSameFile(identity, current)',
      },
      {
        rule: 'trash: the file is looked at once more just before it goes',
        from: 'return recheckEntry(parts, file, current) ?? unlink',
        to: 'return unlink',
      },
      {
        rule: 'trash: the clock has the last word on the grace',
        from: 'if (isForSpace(reason) || clock.now().wallMs >= Date.parse(graceEndsAt)) return',
        to: 'return',
      },
      {
        rule: 'trash: users of the file where it lies are asked for before it loses its name there',
        from: 'objectionIn(answerFor(file.entry)) ?? finishMove(parts, file)',
        to: 'finishMove(parts, file)',
      },
      {
        rule: 'trash: users of the file where it lies are asked for before it is emptied',
        from: 'if (objection !== undefined) return objection;',
        to: '',
      },
      {
        rule: 'trash: users of its old name are asked for before it is emptied',
        from: "if (users.some(({ kind }) => kind === 'use'))",
        to: 'if (false)',
      },
      {
        rule: 'trash: evidence that became incomplete keeps the file',
        from: "return recheckUse(users) ?? intentOfTrashed(file, 'empty');",
        to: "return intentOfTrashed(file, 'empty');",
      },
      {
        rule: 'trash: no answer to who uses the file keeps it',
        from: "if ('outcome' in users) return users;",
        to: "if ('outcome' in users) return intentOfTrashed(file, 'empty');",
      },
      {
        rule: 'trash: live-use check: QEMU’s image locks are asked for before a file is emptied',
        from: 'parts.policy.liveUseCheck ? underImageLock(parts.trash, file.entry, file.identity, emptyNow) : emptyNow()',
        to: 'emptyNow()',
      },
      {
        rule: 'trash: the last name of a file is not taken away',
        from: "if (there === undefined || !isSameFile(identity, there) || !isSameFile(identity, here))\n    return { outcome: 'ChangedSincePlan'",
        to: "if (false)\n    return { outcome: 'ChangedSincePlan'",
      },
      {
        rule: 'trash: what comes back is young before it appears',
        from: 'trash.touch(entry, clock.now().wallMs);',
        to: '',
      },
    ],
  },
  {
    file: 'src/disk/trash-directory.ts',
    tests: [DIRECTORY, REAL_TRASH],
    mutants: [
      {
        rule: 'trash: no file comes back over a newer one',
        from: 'linkSync(inTrash, inBase);',
        to: 'renameSync(inTrash, inBase);',
        tests: [DIRECTORY],
      },
      {
        rule: 'trash: no file is moved over another in the trash',
        from: 'if (lstatSync(inTrash, { throwIfNoEntry: false }) !== undefined) throw',
        to: 'if (false) throw',
        tests: [DIRECTORY],
      },
    ],
  },
  {
    file: 'src/disk/subdirectory.ts',
    tests: [REAL_TRASH],
    mutants: [
      {
        rule: 'trash: a symlink in its place is refused',
        from: 'constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW',
        to: 'constants.O_RDONLY | constants.O_DIRECTORY',
      },
      {
        rule: 'trash: another device in its place is refused',
        from: "throw errnoError('EXDEV'",
        to: "errnoError('EXDEV'",
      },
    ],
  },
  {
    file: 'src/execute/remove-file.ts',
    tests: [EXECUTOR],
    mutants: [
      {
        rule: 'trash: a file that cannot be moved there is not unlinked instead',
        from: "directory.stat(name) === undefined) return { outcome: 'AlreadyGone' };\n      throw error;",
        to: "directory.stat(name) === undefined) return { outcome: 'AlreadyGone' };\n      directory.unlink(name);\n      return { outcome: 'removed' };",
      },
    ],
  },
  {
    file: 'src/scan/trash.ts',
    tests: [REAL_TRASH],
    mutants: [
      {
        rule: 'trash: what we did not put there is foreign',
        from: "classify(parseTrashEntryName(name.text)?.name ?? '', naming)",
        to: "'original'",
      },
    ],
  },
];
