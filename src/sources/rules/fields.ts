import type { WorkloadField } from '../../model/workload-rule.ts';
import type { EphemeralDisk, ImageReference, ImageRole } from '../../model/workload.ts';
import { normalizeHostPath } from '../host-paths.ts';
import { isSegment, parseEphemeral, parseSize } from '../workload-fields.ts';
import { quote, type ValueReader } from './values.ts';

/** What a rule makes of an object. */
export interface FieldValues {
  readonly instanceNames: readonly string[];
  readonly images: readonly ImageReference[];
  readonly swapMb: readonly number[];
  readonly ephemeral: readonly EphemeralDisk[];
  readonly paths: readonly string[];
  readonly problems: readonly string[];
}

interface Fields {
  readonly instanceNames: string[];
  readonly images: ImageReference[];
  readonly swapMb: number[];
  readonly ephemeral: EphemeralDisk[];
  readonly paths: string[];
}

/** Takes one value into the fields; returns what was expected instead. */
type Taker = (value: string | number, fields: Fields) => string | undefined;

const TAKERS: Readonly<Record<WorkloadField, Taker>> = {
  instance: takeInstance,
  imageRef: imageTaker('image'),
  kernelId: imageTaker('kernel'),
  ramdiskId: imageTaker('ramdisk'),
  swapMb: takeSwap,
  ephemeral: takeEphemeral,
  path: takePath,
};

/** Reads every field that the rule has. What can be read counts, even where something else cannot; an empty text says: none. */
export function readFields(readers: ReadonlyMap<WorkloadField, readonly ValueReader[]>, object: unknown): FieldValues {
  const fields: Fields = { instanceNames: [], images: [], swapMb: [], ephemeral: [], paths: [] };
  const problems: string[] = [];
  for (const [name, ofField] of readers) {
    for (const found of ofField.map((read) => read(object))) {
      problems.push(...found.problems.map((problem) => `${name}: ${problem}`));
      for (const value of new Set(found.values)) {
        const expected = value === '' ? undefined : TAKERS[name](value, fields);
        if (expected !== undefined) problems.push(`${name}: ${quote(value)} is not ${expected}`);
      }
    }
  }
  return { ...fields, problems };
}

function imageTaker(role: ImageRole): Taker {
  return (value, { images }) => {
    // A number was an id once, before somebody forgot its quotes: 007 and 7 are two images.
    if (typeof value === 'number') return 'text';
    images.push({ role, ref: value });
    return undefined;
  };
}

function takeInstance(value: string | number, { instanceNames }: Fields): string | undefined {
  if (!isSegment(String(value))) return 'the name of a directory below the instances path';
  instanceNames.push(String(value));
  return undefined;
}

function takeSwap(value: string | number, { swapMb }: Fields): string | undefined {
  const size = parseSize(String(value));
  if (size === undefined) return 'a whole number of MB';
  if (size > 0) swapMb.push(size);
  return undefined;
}

function takeEphemeral(value: string | number, { ephemeral }: Fields): string | undefined {
  const disk = parseEphemeral(String(value));
  if (disk === undefined) return 'a whole number of GB, with or without a file system, such as 20:ext4';
  if (disk.sizeGb > 0) ephemeral.push(disk);
  return undefined;
}

function takePath(value: string | number, { paths }: Fields): string | undefined {
  const path = normalizeHostPath(String(value));
  if (path === undefined) return 'an absolute path';
  paths.push(...new Set([path, path.trim()]));
  return undefined;
}
