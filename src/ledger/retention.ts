import { lstatSync } from 'node:fs';
import type { OpenDirectory } from '../disk/held-directory.ts';
import { segmentName } from '../model/ledger/records.ts';
import { linkOf } from './line.ts';

const DAY_MS = 86_400_000;

export interface Limits {
  /** Of all segments; the last one stays in any case. */
  readonly maxBytes: number;
  readonly maxAgeDays: number;
}

export function sizeOf(directory: OpenDirectory, name: string): number {
  return directory.at(name, (path) => lstatSync(path, { throwIfNoEntry: false })?.size ?? 0);
}

/** Of the numbers of all segments, oldest first, how many of the first are too old or too much. The last one stays. */
export function countTooMany(directory: OpenDirectory, numbers: readonly number[], limits: Limits & { readonly nowMs: number }): number {
  let bytes = numbers.reduce((sum, number) => sum + sizeOf(directory, segmentName(number)), 0);
  for (const [index, number] of numbers.slice(0, -1).entries()) {
    const name = segmentName(number);
    // Nothing was written into it after its last record.
    const writtenMs = directory.at(name, (path) => lstatSync(path).mtimeMs);
    if (bytes <= limits.maxBytes && limits.nowMs - writtenMs <= limits.maxAgeDays * DAY_MS) return index;
    bytes -= sizeOf(directory, name);
  }
  return Math.max(0, numbers.length - 1);
}

/** How many of these segments, oldest first, come before the first in which a pass begins that has to stay whole. */
export function countBeforeKept(segments: readonly number[], read: (number: number) => Buffer, isKept: (pass: number) => boolean): number {
  const index = segments.findIndex((number) => beginningsIn(read(number)).some(isKept));
  return index === -1 ? segments.length : index;
}

/** The numbers of the passes that begin in a segment. */
function beginningsIn(bytes: Buffer): readonly number[] {
  const links = bytes.toString('utf8').split('\n').map(linkOf);
  return links.filter((link) => link?.type === 'pass').map((link) => link?.seq ?? 0);
}
