import type { MutantsOf } from './mutant.ts';

const AUDIT = 'test/unit/ledger/audit.test.ts';
const CHANGED = 'test/hostile/ledger.test.ts';
const ANSWERED = 'test/integration/report/history.test.ts';

/** What an audit of the ledger finds, and what its readers may do. */
export const AUDIT_RULES: readonly MutantsOf[] = [
  {
    file: 'src/ledger/audit/chain.ts',
    tests: [AUDIT, CHANGED],
    mutants: [
      {
        rule: 'audit: each record names the hash of the one before',
        from: 'beginning.startsWith(expected)',
        to: 'beginning.startsWith(`{"seq":${last.seq + 1},`)',
      },
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
      { rule: 'audit: no record is blanked', from: 'if (this.#blank > 0) this.#blankLines();', to: '' },
      { rule: 'audit: a line that is not a record is found', from: "this.#junk('the line is not a record');", to: '' },
    ],
  },
  {
    file: 'src/ledger/audit/head.ts',
    tests: [AUDIT, CHANGED],
    mutants: [
      {
        rule: 'audit: each byte of head.json counts',
        from: 'success && text.trimEnd() === JSON.stringify(data) ? data : undefined',
        to: 'success ? data : undefined',
      },
    ],
  },
  {
    file: 'src/ledger/audit/audit.ts',
    tests: [AUDIT, CHANGED],
    mutants: [
      { rule: 'audit: the files are those that head.json names', from: 'if (index === -1) return;', to: 'return;' },
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
];
