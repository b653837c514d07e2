import { listParts } from '../../lib/image-reference.ts';
import { KEY_PREFIX, WORKLOAD_ANNOTATIONS } from '../../model/annotation-keys.ts';
import type { EphemeralDisk, ImageReference, ImageRole } from '../../model/workload.ts';
import { isSegment, parseEphemeral, parseSize } from '../workload-fields.ts';

/** What annotations of a pod or VMI say about the VM in it. */
export interface AnnotatedFields {
  readonly images: readonly ImageReference[];
  readonly instanceNames: readonly string[];
  readonly swapMb: readonly number[];
  readonly ephemeral: readonly EphemeralDisk[];
  /** At most one for each annotation: which one, what is wrong and what is expected. */
  readonly problems: readonly string[];
}

interface Fields {
  readonly images: ImageReference[];
  readonly instanceNames: string[];
  readonly swapMb: number[];
  readonly ephemeral: EphemeralDisk[];
  readonly problems: string[];
}

/** Takes one entry of a comma list into the fields; returns what is wrong with it. */
type EntryParser = (entry: string, fields: Fields) => string | undefined;

const MAX_ENTRIES = 256;
const MAX_ENTRY_LENGTH = 1024;

const PARSERS: ReadonlyMap<string, EntryParser> = new Map([
  [WORKLOAD_ANNOTATIONS.imageRef, imageParser('image')],
  [WORKLOAD_ANNOTATIONS.kernelId, imageParser('kernel')],
  [WORKLOAD_ANNOTATIONS.ramdiskId, imageParser('ramdisk')],
  [WORKLOAD_ANNOTATIONS.instance, takeInstance],
  [WORKLOAD_ANNOTATIONS.swapMb, takeSwap],
  [WORKLOAD_ANNOTATIONS.ephemeral, takeEphemeral],
]);

/**
 * Reads `basekeeper.io/image-ref`, `kernel-id`, `ramdisk-id`, `instance`, `swap-mb` and `ephemeral`: comma lists. Blanks around
 * the commas do not count. Undefined when the object has no annotation of ours. What can be read counts, even where something else cannot.
 */
export function readAnnotations(annotations: Readonly<Record<string, unknown>> | undefined): AnnotatedFields | undefined {
  const ours = Object.entries(annotations ?? {}).filter(([key]) => key.startsWith(KEY_PREFIX));
  if (ours.length === 0) return undefined;
  const fields: Fields = { images: [], instanceNames: [], swapMb: [], ephemeral: [], problems: [] };
  for (const [key, value] of ours) {
    const problem = readList(PARSERS.get(key), value, fields);
    if (problem !== undefined) fields.problems.push(`annotation ${quote(key)} ${problem}`);
  }
  return fields;
}

function readList(parse: EntryParser | undefined, value: unknown, fields: Fields): string | undefined {
  if (parse === undefined) return `is unknown; known are ${[...PARSERS.keys()].join(', ')}`;
  if (typeof value !== 'string') return 'is not a string';
  const entries = listParts(value, ',');
  let problem = entries.length > MAX_ENTRIES ? `has more than ${MAX_ENTRIES} entries` : undefined;
  for (const entry of new Set(entries.slice(0, MAX_ENTRIES))) {
    const wrong = entry.length > MAX_ENTRY_LENGTH ? `longer than ${MAX_ENTRY_LENGTH} characters` : parse(entry, fields);
    if (wrong !== undefined) problem ??= `has ${quote(entry)}: ${wrong}`;
  }
  return problem;
}

function imageParser(role: ImageRole): EntryParser {
  return (ref, fields) => {
    fields.images.push({ role, ref });
    return undefined;
  };
}

function takeInstance(entry: string, fields: Fields): string | undefined {
  if (!isSegment(entry)) return 'expected names of directories below the instances path';
  fields.instanceNames.push(entry);
  return undefined;
}

function takeSwap(entry: string, fields: Fields): string | undefined {
  const size = parseSize(entry);
  if (size === undefined) return 'expected whole numbers of MB, such as 512';
  if (size > 0) fields.swapMb.push(size);
  return undefined;
}

function takeEphemeral(entry: string, fields: Fields): string | undefined {
  const disk = parseEphemeral(entry);
  if (disk === undefined) return 'expected GB and file system, such as 20:ext4';
  if (disk.sizeGb > 0) fields.ephemeral.push(disk);
  return undefined;
}

/** As JSON, so that control characters show; cut, because a message is for people. */
function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
