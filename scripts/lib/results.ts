/** bench/results.json, and the table that docs/performance.md has of it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

/** One line of the goal table, with what was measured. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly against: string;
  readonly goal: string;
  readonly figure: string;
  /** Undefined: there is no goal, or it could not be measured here; `note` says which. */
  readonly met: boolean | undefined;
  /** Raw figures, units in their names. */
  readonly measures: Readonly<Record<string, number | readonly number[]>>;
  readonly note?: string | undefined;
}

export interface MeasuredRow extends Row {
  readonly takenAt: string;
  readonly quick: boolean;
  /** One-minute load averages of the machine before and after the measurement. */
  readonly loadAverage: readonly [number, number];
}

export interface Results {
  readonly machine: {
    readonly cpus: number;
    readonly model: string;
    readonly memoryGiB: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly rows: readonly MeasuredRow[];
}

/** What the format check runs: it writes arrays in another way than `JSON.stringify`. */
const FORMATTER = fileURLToPath(new URL('../../node_modules/oxfmt/bin/oxfmt', import.meta.url));

export const RESULTS_PATH: string = fileURLToPath(new URL('../../bench/results.json', import.meta.url));

export function readResults(path: string = RESULTS_PATH): Results | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : undefined;
}

/** Puts the rows in place of older ones with the same id; `order` says how they follow each other. */
export function saveRows(rows: readonly MeasuredRow[], order: readonly string[]): Results {
  const byId = new Map([...(readResults()?.rows ?? []), ...rows].map((row) => [row.id, row]));
  const rank = (id: string) => order.findIndex((prefix) => id.startsWith(prefix));
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? '',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
  const results = { machine, rows: [...byId.values()].toSorted((a, b) => rank(a.id) - rank(b.id)) };
  writeFileSync(RESULTS_PATH, `${JSON.stringify(results, undefined, 2)}\n`);
  execFileSync(process.execPath, [FORMATTER, RESULTS_PATH]);
  return results;
}

export function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}

function verdict({ met }: Row): string {
  if (met === undefined) return '–';
  return met ? 'met' : '**not met**';
}

export function resultsTable({ machine, rows }: Results): string {
  const lines = rows.map((row) => {
    const how = [row.quick ? 'quick run' : '', row.note ?? ''].filter((text) => text !== '').join('; ');
    const cells = [row.what, row.against, row.goal, row.figure + (how === '' ? '' : ` (${how})`), verdict(row), row.loadAverage.join('–')];
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  });
  const judged = rows.filter(({ met }) => met !== undefined);
  return [
    `Measured on ${machine.cpus} cores (${machine.model}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node.js ${machine.node}, by \`npm run bench\` and \`npm run bench:fleet\`.`,
    `Of ${judged.length} goals, ${judged.filter(({ met }) => met).length} are met. The last column is the machine's load average before and after a measurement: on two cores, more than 2 means that others were at work as well.`,
    '',
    '| what | against | goal | figure | | load |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
