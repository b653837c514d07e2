import { KEY_PREFIX, WORKLOAD_ANNOTATIONS } from '../../model/annotation-keys.ts';
import type { EphemeralDisk, ImageReference, ImageRole } from '../../model/workload.ts';
import { isSegment } from '../objects.ts';

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
/** Nova's flavors hold sizes as signed 32-bit integers. */
const MAX_SIZE = 2 ** 31 - 1;

const PARSERS: ReadonlyMap<string, EntryParser> = new Map([
  [WORKLOAD_ANNOTATIONS.imageRef, imageParser('image')],
  [WORKLOAD_ANNOTATIONS.kernelId, imageParser('kernel')],
  [WORKLOAD_ANNOTATIONS.ramdiskId, imageParser('ramdisk')],
  [WORKLOAD_ANNOTATIONS.instance, parseInstance],
  [WORKLOAD_ANNOTATIONS.swapMb, parseSwap],
  [WORKLOAD_ANNOTATIONS.ephemeral, parseEphemeral],
]);

/**
 * Reads `basekeeper.io/image-ref`, `kernel-id`, `ramdisk-id`, `instance`, `swap-mb` and `ephemeral`: comma lists, of which nothing is
 * trimmed. Undefined when the object has no annotation of ours. What can be read counts, even where something else cannot.
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
  const entries = value.split(',', MAX_ENTRIES + 1);
  let problem = entries.length > MAX_ENTRIES ? `has more than ${MAX_ENTRIES} entries` : undefined;
  for (const entry of new Set(entries.slice(0, MAX_ENTRIES))) {
    if (entry === '') continue;
    const wrong = entry.length > MAX_ENTRY_LENGTH ? `longer than ${MAX_ENTRY_LENGTH} characters` : parse(entry, fields);
    if (wrong !== undefined) problem ??= `has ${quote(entry)}: ${wrong}`;
  }
  return problem;
}

function imageParser(role: ImageRole): EntryParser {
  return (ref, fields) => {
    fields.images.push({ role, ref });
    // It is hashed as it stands, but most likely meant otherwise: "a, b".
    return ref.trim() === ref ? undefined : 'has white space around it; expected image ids with nothing but commas between them';
  };
}

function parseInstance(entry: string, fields: Fields): string | undefined {
  if (!isSegment(entry) || entry.trim() !== entry) return 'expected names of directories below the instances path';
  fields.instanceNames.push(entry);
  return undefined;
}

function parseSwap(entry: string, fields: Fields): string | undefined {
  const size = parseSize(entry);
  if (size === undefined) return 'expected whole numbers of MB, such as 512';
  if (size > 0) fields.swapMb.push(size);
  return undefined;
}

function parseEphemeral(entry: string, fields: Fields): string | undefined {
  const colon = entry.indexOf(':');
  const sizeGb = parseSize(colon === -1 ? entry : entry.slice(0, colon));
  const filesystem = colon === -1 ? undefined : entry.slice(colon + 1);
  if (sizeGb === undefined || filesystem === '') return 'expected GB and file system, such as 20:ext4';
  if (sizeGb > 0) fields.ephemeral.push({ sizeGb, ...(filesystem === undefined ? {} : { filesystem }) });
  return undefined;
}

function parseSize(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) return undefined;
  const size = Number(text);
  return size <= MAX_SIZE ? size : undefined;
}

/** As JSON, so that control characters show; cut, because a message is for people. */
function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
