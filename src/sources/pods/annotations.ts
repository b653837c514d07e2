import { listParts } from '../../lib/image-reference.ts';
import { KEY_PREFIX, WORKLOAD_ANNOTATIONS } from '../../model/annotation-keys.ts';
import type { WorkloadField } from '../../model/workload-rule.ts';
import { noFields, takeField, type Fields, type FieldValues } from '../take-field.ts';

const MAX_ENTRIES = 256;
const MAX_ENTRY_LENGTH = 1024;

const FIELDS: ReadonlyMap<string, WorkloadField> = new Map([
  [WORKLOAD_ANNOTATIONS.imageRef, 'imageRef'],
  [WORKLOAD_ANNOTATIONS.kernelId, 'kernelId'],
  [WORKLOAD_ANNOTATIONS.ramdiskId, 'ramdiskId'],
  [WORKLOAD_ANNOTATIONS.instance, 'instance'],
  [WORKLOAD_ANNOTATIONS.swapMb, 'swapMb'],
  [WORKLOAD_ANNOTATIONS.ephemeral, 'ephemeral'],
]);

/**
 * Reads `basekeeper.io/image-ref`, `kernel-id`, `ramdisk-id`, `instance`, `swap-mb` and `ephemeral`: comma lists. Blanks around
 * the commas do not count. Undefined when the object has no annotation of ours. What can be read counts, even where something else cannot.
 * At most one problem for each annotation.
 */
export function readAnnotations(annotations: Readonly<Record<string, unknown>> | undefined): FieldValues | undefined {
  const ours = Object.entries(annotations ?? {}).filter(([key]) => key.startsWith(KEY_PREFIX));
  if (ours.length === 0) return undefined;
  const fields = noFields();
  for (const [key, value] of ours) {
    const problem = readList(FIELDS.get(key), value, fields);
    if (problem !== undefined) fields.problems.push(`annotation ${quote(key)} ${problem}`);
  }
  return fields;
}

function readList(field: WorkloadField | undefined, value: unknown, fields: Fields): string | undefined {
  if (field === undefined) return `is unknown; known are ${[...FIELDS.keys()].join(', ')}`;
  if (typeof value !== 'string') return 'is not a string';
  const entries = listParts(value, ',');
  let problem = entries.length > MAX_ENTRIES ? `has more than ${MAX_ENTRIES} entries` : undefined;
  for (const entry of new Set(entries.slice(0, MAX_ENTRIES))) {
    const wrong = takeEntry(field, entry, fields);
    if (wrong !== undefined) problem ??= `has ${quote(entry)}: ${wrong}`;
  }
  return problem;
}

function takeEntry(field: WorkloadField, entry: string, fields: Fields): string | undefined {
  if (entry.length > MAX_ENTRY_LENGTH) return `longer than ${MAX_ENTRY_LENGTH} characters`;
  const expected = takeField(field, entry, fields);
  return expected === undefined ? undefined : `expected ${expected}`;
}

/** As JSON, so that control characters show; cut, because a message is for people. */
function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
