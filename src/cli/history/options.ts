import { posix } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import { DEFAULT_RECORDS, type HistoryQuery } from '../../model/ledger/history.ts';
import { cacheFileName } from '../../model/names.ts';

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

/** What a command that shows a history can be asked. `most`: how many records; absent: all of them. */
export function addHistoryOptions(command: Command, most?: number): Command {
  return command
    .option('--since <time>', 'only what was recorded from then on: 2026-11-23T14:00:00Z, or how long ago: 30m, 12h, 7d', when)
    .option('--until <time>', 'only what was recorded until then', when)
    .option('--image <id>', 'only files of this image')
    .option('--file <name>', 'only the base file of this name, or the file of this name in the trash')
    .option(
      '--limit <records>',
      `only the newest so many; ${most === undefined ? '0: all' : `at most ${most}`}`,
      limitUpTo(most),
      DEFAULT_RECORDS,
    );
}

/** `nowMs`: wall clock. Throws `UsageError` for what cannot match. */
export function historyQuery({ since, until, image, file, limit }: HistoryOptions, nowMs: number): HistoryQuery {
  const [sinceMs, untilMs] = [since, until].map((it) => (it === undefined ? undefined : (it.atMs ?? nowMs - (it.agoMs ?? 0))));
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs) throw new UsageError('--since is after --until');
  return {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(file === undefined ? {} : { file: posix.basename(file) }),
    ...(image === undefined ? {} : { imageSha1: /^[0-9a-f]{40}$/.test(image) ? image : cacheFileName(image) }),
    limit,
  };
}

function when(text: string): When {
  const [, number, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (number !== undefined) return { agoMs: Number(number) * (UNIT_MS[unit] ?? 0) };
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('It is a time such as 2026-11-23T14:00:00Z, or how long ago: 30m, 12h, 7d.');
  return { atMs };
}

function limitUpTo(most: number | undefined): (text: string) => number {
  return (text) => {
    const count = Number(text);
    const least = most === undefined ? 0 : 1;
    if (Number.isSafeInteger(count) && count >= least && count <= (most ?? count) && text.trim() !== '') return count;
    throw new InvalidArgumentError(most === undefined ? 'It is a number; 0 means all.' : `It is a number from 1 to ${most}.`);
  };
}
