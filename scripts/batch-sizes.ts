/**
 * `npm run batch-sizes -- [--sizes 1,2,256] [--seed S] [--scale F]`: faults, races, parity, soundness and soak with batches of a fixed size, in a
 * copy of this tree in which only the size is another. `--scale 0.1` does a tenth of everything. Ends non-zero when one of them does.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { withBatchSize } from './lib/batch-size.ts';
import { writeJsonReport } from './lib/json-report.ts';

const { values } = parseArgs({
  options: { sizes: { type: 'string', default: '1,2,256' }, seed: { type: 'string' }, scale: { type: 'string', default: '1' } },
});
const seed = values.seed ?? String(Date.now() % 1_000_000);
const scaled = (count: number): string => String(Math.max(1, Math.round(count * Number(values.scale))));

/** Each as people run it. */
const RUNS: Readonly<Record<string, readonly string[]>> = {
  faults: ['--rounds', scaled(40), '--seed', seed, '--every-call'],
  races: ['--rounds', scaled(400), '--seed', seed],
  parity: ['--trees', scaled(500), '--seed', seed],
  soundness: ['--layouts', scaled(300), '--seed', seed],
  soak: ['--minutes', String(Math.max(0.5, Number(values.scale))), '--seed', seed],
};
const NOT_COPIED: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.test-results']);

function copyWithSize(directory: string, size: number): void {
  for (const name of readdirSync('.')) if (!NOT_COPIED.has(name)) cpSync(name, join(directory, name), { recursive: true });
  // Passes without privileges read it, too.
  chmodSync(directory, 0o755);
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  const path = join(directory, 'src/execute/batches.ts');
  writeFileSync(path, withBatchSize(readFileSync(path, 'utf8'), size));
}

const checks: { name: string; failure: string | undefined }[] = [];
for (const size of values.sizes.split(',').map(Number)) {
  if (!Number.isSafeInteger(size) || size < 1)
    throw new Error(`--sizes must be whole numbers above 0, separated by commas, not ${values.sizes}`);
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-batch-size-'));
  try {
    copyWithSize(directory, size);
    for (const [name, args] of Object.entries(RUNS)) {
      console.log(`\n== batches of ${size}: ${name} ${args.join(' ')}`);
      const { status, signal } = spawnSync(process.execPath, [`scripts/${name}.ts`, ...args], { cwd: directory, stdio: 'inherit' });
      const failure = status === 0 ? undefined : `ended with ${signal ?? status}`;
      checks.push({ name: `${name} with batches of ${size}`, failure });
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
writeJsonReport('batch-sizes', 'scripts/batch-sizes.ts', checks);
const failures = checks.filter(({ failure }) => failure !== undefined);
console.log(`\nseed ${seed}: ${checks.length} runs, ${failures.length} failed`);
for (const { name, failure } of failures) console.log(`  ${name} ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
