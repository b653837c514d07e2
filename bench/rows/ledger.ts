import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ended, file, timed } from '../lib/child.ts';
import type { Bench, BenchContext } from '../lib/row.ts';
import { mib, seconds } from '../lib/stats.ts';
import { addPass, LedgerMaker, namesFrom } from '../../test/helpers/ledgers.ts';

const GOAL_SECONDS = 2;
const MAX_RSS_BYTES = 160 * 2 ** 20;
const RUNS = 5;
const REMOVALS_PER_PASS = 1000;

/** What it takes to audit a long ledger, and to show all of it. */
export const ledgerBench: Bench = {
  name: 'ledger',
  async run(context) {
    const records = context.quick ? 100_000 : 1_000_000;
    const directory = join(context.root, 'ledger');
    const maker = new LedgerMaker(directory);
    for (let pass = 0; maker.last.seq < records; pass += 1) addPass(maker, namesFrom(pass * REMOVALS_PER_PASS, REMOVALS_PER_PASS));
    maker.close();
    const { seq } = maker.last;
    const times: number[] = [];
    for (let run = 0; run < RUNS; run += 1) times.push(await timed(process.execPath, [context.bundle, 'audit', '--ledger', directory]));
    const audit = await peakOf(context, ['audit', '--ledger', directory]);
    const history = await peakOf(context, ['history', '--ledger', directory, '--limit', '0', '-o', 'json']);
    rmSync(directory, { recursive: true });
    const fastest = Math.min(...times);
    const count = seq.toLocaleString('en');
    context.say(`  ${count} records: audit ${times.map(seconds).join(', ')}; peak ${mib(audit)}, history ${mib(history)}`);
    return [
      {
        id: 'ledger-audit',
        what: `whole \`basekeeper audit\` process, ${count} records, the fastest of ${RUNS} runs`,
        against: '–',
        goal: `≤ ${seconds(GOAL_SECONDS)}`,
        figure: seconds(fastest),
        met: fastest <= GOAL_SECONDS,
        measures: { records: seq, seconds: times },
      },
      {
        id: 'ledger-rss',
        what: `peak RSS of auditing these records, and of \`basekeeper history\` of all of them`,
        against: '–',
        goal: `≤ ${mib(MAX_RSS_BYTES)}`,
        figure: `${mib(audit)}, ${mib(history)}`,
        met: Math.max(audit, history) <= MAX_RSS_BYTES,
        measures: { auditBytes: audit, historyBytes: history },
      },
    ];
  },
};

async function peakOf({ root, bundle }: BenchContext, args: readonly string[]): Promise<number> {
  const peaks = join(root, 'peaks-ledger.json');
  const watch = ['--import', file('children/watch-self.mjs')];
  const env = { ...process.env, BENCH_PEAKS: peaks };
  await ended(spawn(process.execPath, [...watch, bundle, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env }));
  return (JSON.parse(readFileSync(peaks, 'utf8')) as { peakBytes: number }).peakBytes;
}
