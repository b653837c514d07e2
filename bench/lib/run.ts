/** Runs benches and saves what they measured; shared by bench/main.ts and bench/fleet.ts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { performanceDoc } from '../../scripts/lib/performance-doc.ts';
import { cleanUpOnSignals } from '../../scripts/lib/signals.ts';
import { load, type MeasuredRow, saveRows } from '../../scripts/lib/results.ts';
import type { Bench, BenchContext } from './row.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Rows in the order of the table; a row's id begins with one of these. */
const ORDER = [
  'removals-',
  'command-',
  'plan-',
  'scan-',
  'growth',
  'headers',
  'overlay-scan',
  'unchanged-pass',
  'peak-rss',
  'ledger-',
  'steady-',
  'memory-limit',
  'idle-cpu',
  'loop-block',
  'healthz',
  'start',
  'bundle',
  'idle-',
  'fleet-',
];

export async function runBenches(
  benches: readonly Bench[],
  { quick, minutes }: { readonly quick: boolean; readonly minutes?: number | undefined },
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-bench-'));
  // What API servers write lies in there as well, and so goes away with it.
  process.env['TMPDIR'] = directory;
  const resources = new AsyncDisposableStack();
  resources.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  cleanUpOnSignals(async () => resources.disposeAsync());
  try {
    execFileSync(process.execPath, [join(root, 'scripts/build.ts')]);
    const context: BenchContext = {
      quick,
      minutes,
      root: directory,
      bundle: join(root, 'dist/basekeeper.js'),
      say: (line) => console.log(line),
      defer: (cleanUp) => resources.defer(cleanUp),
    };
    const rows: MeasuredRow[] = [];
    for (const bench of benches) {
      const before = load();
      console.log(`${bench.name} …`);
      const measured = await bench.run(context);
      const about = { takenAt: new Date().toISOString(), quick, loadAverage: [before, load()] as const };
      const complete = measured.map((row) => ({ ...row, ...about }));
      rows.push(...complete);
      saveRows(complete, ORDER);
    }
    writeFileSync(join(root, 'docs/performance.md'), performanceDoc());
    report(rows);
  } finally {
    await resources.disposeAsync();
  }
}

function report(rows: readonly MeasuredRow[]): void {
  for (const { what, goal, figure, met } of rows) {
    const verdict = met === undefined ? '  ' : met ? 'ok' : 'NO';
    console.log(`${verdict}  ${what}\n      goal ${goal}; ${figure}`);
  }
}
