import type { MutantsOf } from './mutant.ts';

const AUDIT = 'test/unit/ledger/audit.test.ts';
const CHANGED = 'test/hostile/ledger.test.ts';
const WRITTEN = 'test/integration/ledger/ledger.test.ts';
const ANSWERED = 'test/integration/report/history.test.ts';

/** What an audit of the ledger finds, and what its readers may do. */
export const AUDIT_RULES: readonly MutantsOf[] = [
  {
    file: 'src/ledger/audit/chain.ts',
    tests: [AUDIT, CHANGED],
    mutants: [
      {
        rule: 'audit: a record that the next one does not name was changed',
        from: 'if (seq === last.seq + 1) {',
        to: 'if (seq === last.seq + 1) return;\n    if (seq === last.seq + 1) {',
      },
      { rule: 'audit: no record is missing', from: '} else if (seq > furthest.seq) {', to: '} else if (seq > furthest.seq + 9) {' },
      {
        rule: 'audit: records come in their order',
        from: "} else this.#problem('OutOfOrder'",
        to: "} else if (seq < 0) this.#problem('OutOfOrder'",
      },
      {
        rule: 'audit: the first record is the one that head.json names',
        from: 'if (seq === beginning.seq && prev === beginning.prev) return;',
        to: 'if (seq >= beginning.seq) return;',
      },
      { rule: 'audit: the last record is the one that head.json names', from: 'if (found.startsWith(mark.hash)) return;', to: 'return;' },
      { rule: 'audit: the last records are there', from: 'else this.#endMissing(mark, last);', to: '' },
      {
        rule: 'audit: a record that others follow is whole',
        from: 'if (this.#cut !== undefined) this.#followed(this.#cut);\n    if (this.#blank',
        to: 'if (this.#blank',
      },
      { rule: 'audit: no record is blanked', from: 'if (this.#blank > 0) this.#blankLines();', to: '' },
      { rule: 'audit: a line that is not a record is found', from: "this.#junk('the line is not a record');", to: '' },
    ],
  },
  {
    file: 'src/ledger/audit/bytes.ts',
    tests: [AUDIT, CHANGED],
    mutants: [
      {
        rule: 'audit: each record names the hash of the one before',
        from: 'behind(last.hash, buffer, prev)',
        to: 'prev < 0 ? -1 : prev + last.hash.length',
      },
      {
        rule: 'audit: each record has the number after the one before',
        from: 'behindNumber(last.seq + 1, buffer, seq)',
        to: "buffer.indexOf(',', seq)",
      },
    ],
  },
  {
    file: 'src/ledger/head-text.ts',
    tests: [AUDIT, CHANGED],
    mutants: [
      {
        rule: 'audit: each byte of head.json counts',
        from: 'found !== undefined && text.trimEnd() === JSON.stringify(found) ? found : undefined',
        to: 'found',
      },
    ],
  },
  {
    file: 'src/ledger/audit/audit.ts',
    tests: [AUDIT, CHANGED],
    mutants: [
      { rule: 'audit: the files are those that head.json names', from: 'if (index === -1) return;', to: 'return;' },
      {
        rule: 'audit: a ledger without head.json is not whole',
        from: "if (found === 'absent') headless(",
        to: 'if (segments.length > 9) headless(',
      },
      { rule: 'audit: nobody else may write to the ledger', from: '!owners.includes(uid)', to: 'false' },
    ],
  },
  {
    file: 'src/ledger/audit/tally.ts',
    tests: [AUDIT],
    mutants: [
      { rule: 'audit: what a pass meant to remove has an outcome', from: 'if (open.size > 0) {', to: 'if (open.size > 1e9) {' },
      { rule: 'audit: no more was removed than is recorded', from: 'if (said > recorded)', to: 'if (said > recorded + 9)' },
      { rule: 'audit: an outcome belongs to an intent', from: 'if (settled !== named && begun)', to: 'if (settled > named && begun)' },
    ],
  },
  {
    file: 'src/http/history-route.ts',
    tests: [ANSWERED],
    mutants: [
      { rule: 'history: an answer is bounded', from: 'Number(value) <= MOST_RECORDS', to: 'Number(value) <= Infinity' },
      { rule: 'history: it is for those who may have the report', from: 'return { guard, answer:', to: 'return { answer:' },
      { rule: 'history: no file stays open', from: 'history.close();', to: '' },
    ],
  },
  {
    file: 'src/ledger/tail.ts',
    tests: ['test/unit/ledger/tail.test.ts'],
    mutants: [
      {
        rule: 'the ledger: what several writes wrote is never blanked',
        from: 'lastSeq >= settled && times.size <= 1',
        to: 'lastSeq >= settled',
      },
      {
        rule: 'the ledger: blank lines do not count as records',
        from: '(stop === start ? tail : skipped(tail, bytes.subarray(start, stop)))',
        to: '{ ...skipped(tail, bytes.subarray(start, stop)), last: { ...tail.last, seq: tail.last.seq + 1 } }',
      },
    ],
  },
  {
    file: 'src/ledger/head.ts',
    tests: [WRITTEN],
    mutants: [
      {
        rule: 'the ledger: its beginning moves with retention alone',
        from: 'droppedUpTo > 0 ? beginningOf',
        to: 'droppedUpTo >= 0 ? beginningOf',
      },
      {
        rule: 'the ledger: head.json names what is missing on',
        from: 'return number > droppedUpTo && !numbers.includes(number);',
        to: 'return number < 0;',
      },
    ],
  },
  {
    file: 'src/ledger/segment.ts',
    tests: ['test/faults/ledger.test.ts'],
    mutants: [
      {
        rule: 'the ledger: the disk has a record before its file goes',
        from: 'await promisify(fdatasync)(this.#fd);',
        to: 'await promisify(setImmediate)();',
      },
    ],
  },
  {
    file: 'src/ledger/segment.ts',
    tests: ['test/faults/full-disk.test.ts'],
    mutants: [
      {
        rule: 'the ledger: the end of a pass on a full disk has room',
        from: 'export const END_BYTES = 2048;',
        to: 'export const END_BYTES = 0;',
      },
    ],
  },
  {
    file: 'src/ledger/room.ts',
    tests: ['test/faults/full-disk.test.ts'],
    mutants: [
      {
        rule: 'the ledger: files that leave no more room go on for a few only',
        from: 'this.#inVain < WITHOUT_ROOM',
        to: 'this.#inVain >= 0',
      },
      {
        rule: 'the ledger: base files make no room on another file system',
        from: 'if (isElsewhere(this.#basePath, place))',
        to: "if (place === '')",
      },
    ],
  },
  {
    file: 'src/ledger/writer.ts',
    tests: [WRITTEN, 'test/faults/ledger.test.ts'],
    mutants: [
      {
        rule: 'the ledger: two processes append one after the other',
        from: 'if (!(await this.locks.take(APPENDING, WAIT_MS)))',
        to: 'if ((await this.locks.take(APPENDING + 2 ** 40 + process.pid, WAIT_MS)) === undefined)',
      },
      {
        rule: 'the ledger: what was cut off stays missing',
        from: 'it !== undefined && it.seq >= last.seq ? it : last',
        to: 'it !== undefined && it.seq < 0 ? it : last',
      },
      {
        rule: 'the ledger: the last pass stays whole',
        from: 'pass === ended || !this.isOver(pass)',
        to: '!this.isOver(pass)',
      },
      {
        rule: 'the ledger: a pass that runs stays whole',
        from: 'pass === ended || !this.isOver(pass)',
        to: 'pass === ended',
      },
      { rule: 'the ledger: a process remembers where its ledger ended', from: 'this.#options.known.last = last;', to: '' },
    ],
  },
  {
    file: 'src/ledger/ledger.ts',
    tests: [WRITTEN, 'test/faults/mounts.test.ts', 'test/faults/full-disk.test.ts'],
    mutants: [
      {
        rule: 'the ledger: what makes room on a full disk is recorded late',
        from: '    owed.record(pass, add);\n    for',
        to: '    for',
      },
      {
        rule: 'the ledger: a full disk is no reason to keep what fills it',
        from: 'if (!hasErrno(why, ...FULL)) throw why;',
        to: 'throw why;',
      },
      {
        rule: 'the ledger: a record that fails for another reason than room keeps its file',
        from: 'if (!hasErrno(why, ...FULL)) throw why;',
        to: '',
      },
      {
        rule: 'the ledger: a pass on a full disk records how many files went',
        from: 'if (this.#owed.size > 0 && hasErrno(error, ...FULL))',
        to: 'if (this.#owed.size < 0)',
      },
      {
        rule: 'the ledger: head.json is renewed after a pass that was killed',
        from: 'if (writer.isHeadBehind) await writer.publishHead();',
        to: '',
      },
    ],
  },
];
