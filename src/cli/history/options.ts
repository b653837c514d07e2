import { posix } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import type { HistoryQuery } from '../../model/ledger/history.ts';
import { cacheFileName } from '../../model/names.ts';

const LIMIT = 1000;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time, or how long ago it was. */
interface When {
  readonly atMs?: number;
  readonly agoMs?: number;
}

export interface HistoryOptions {
  readonly since?: When;
  readonly until?: When;
  readonly image?: string;
  readonly file?: string;
  readonly limit: number;
}

/** What a command that shows a history can be asked. */
export function addHistoryOptions(command: Command): Command {
  return command
    .option('--since <time>', 'only what was recorded from then on: 2026-11-23T14:00:00Z, or how long ago: 30m, 12h, 7d', when)
    .option('--until <time>', 'only what was recorded until then', when)
    .option('--image <id>', 'only files of this image')
    .option('--file <name>', 'only the base file of this name, or the file of this name in the trash')
    .option('--limit <records>', 'only the newest so many; 0: all', limit, LIMIT);
}

/** `nowMs`: wall clock. Throws `UsageError` for what cannot match. */
export function historyQuery({ since, until, image, file, limit: most }: HistoryOptions, nowMs: number): HistoryQuery {
  const [sinceMs, untilMs] = [since, until].map((it) => (it === undefined ? undefined : (it.atMs ?? nowMs - (it.agoMs ?? 0))));
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs) throw new UsageError('--since is after --until');
  return {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(file === undefined ? {} : { file: posix.basename(file) }),
    ...(image === undefined ? {} : { imageSha1: /^[0-9a-f]{40}$/.test(image) ? image : cacheFileName(image) }),
    limit: most,
  };
}

function when(text: string): When {
  const [, number, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (number !== undefined) return { agoMs: Number(number) * (UNIT_MS[unit] ?? 0) };
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('It is a time such as 2026-11-23T14:00:00Z, or how long ago: 30m, 12h, 7d.');
  return { atMs };
}

function limit(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 0 || text.trim() === '') throw new InvalidArgumentError('It is a number; 0 means all.');
  return count;
}
