import type { WorkloadField } from '../model/workload-rule.ts';
import type { EphemeralDisk, ImageReference, ImageRole } from '../model/workload.ts';
import { normalizeHostPath } from './host-paths.ts';
import { isSegment, parseEphemeral, parseSize } from './workload-fields.ts';

/** What an object says about the VM in it, by annotations or by a rule. */
export interface FieldValues {
  readonly instanceNames: readonly string[];
  readonly images: readonly ImageReference[];
  readonly swapMb: readonly number[];
  readonly ephemeral: readonly EphemeralDisk[];
  readonly paths: readonly string[];
  /** What cannot be understood: where it stands, what is wrong and what is expected. */
  readonly problems: readonly string[];
}

/** Being filled. */
export type Fields = { readonly [K in keyof FieldValues]: FieldValues[K][number][] };

/** Takes one text into the fields; returns what was expected instead. */
type Taker = (text: string, fields: Fields) => string | undefined;

const TAKERS: Readonly<Record<WorkloadField, Taker>> = {
  instance: takeInstance,
  imageRef: imageTaker('image'),
  kernelId: imageTaker('kernel'),
  ramdiskId: imageTaker('ramdisk'),
  swapMb: takeSwap,
  ephemeral: takeEphemeral,
  path: takePath,
};

export function noFields(): Fields {
  return { instanceNames: [], images: [], swapMb: [], ephemeral: [], paths: [], problems: [] };
}

/** Takes one text into the fields; returns what was expected instead, such as "an absolute path". */
export function takeField(field: WorkloadField, text: string, fields: Fields): string | undefined {
  return TAKERS[field](text, fields);
}

function imageTaker(role: ImageRole): Taker {
  return (ref, { images }) => {
    images.push({ role, ref });
    return undefined;
  };
}

function takeInstance(text: string, { instanceNames }: Fields): string | undefined {
  if (!isSegment(text)) return 'the name of a directory below the instances path';
  instanceNames.push(text);
  return undefined;
}

function takeSwap(text: string, { swapMb }: Fields): string | undefined {
  const size = parseSize(text);
  if (size === undefined) return 'a whole number of MB';
  if (size > 0) swapMb.push(size);
  return undefined;
}

function takeEphemeral(text: string, { ephemeral }: Fields): string | undefined {
  const disk = parseEphemeral(text);
  if (disk === undefined) return 'a whole number of GB, with or without a file system, such as 20:ext4';
  if (disk.sizeGb > 0) ephemeral.push(disk);
  return undefined;
}

function takePath(text: string, { paths }: Fields): string | undefined {
  const path = normalizeHostPath(text);
  if (path === undefined) return 'an absolute path';
  paths.push(...new Set([path, path.trim()]));
  return undefined;
}
