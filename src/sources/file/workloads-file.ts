import * as z from 'zod/mini';
import { formatPath, parseProgramsJson, parseYamlDocument } from '../../lib/yaml/document.ts';
import type { ImageReference, ImageRole, Workload } from '../../model/workload.ts';
import { instanceNamesOf, isSegment, MAX_SIZE } from '../workload-fields.ts';

export const FILE_SOURCE = 'file';

const directoryName = z.string().check(z.refine(isSegment, 'must be the name of a directory below the instances path'));
const size = z.int().check(z.minimum(0), z.maximum(MAX_SIZE));

const workloadSchema = z.strictObject({
  name: directoryName,
  uuid: z.optional(directoryName),
  imageRef: z.optional(z.string()),
  kernelId: z.optional(z.string()),
  ramdiskId: z.optional(z.string()),
  resizing: z.optional(z.boolean()),
  swapMb: z.optional(z.array(size)),
  ephemeral: z.optional(z.array(z.strictObject({ sizeGb: size, filesystem: z.optional(z.string().check(z.minLength(1))) }))),
});
/** RFC 3339, with a zone: a time without one would mean another on each machine. */
const moment = z.iso.datetime({ offset: true, error: 'must be a time with its zone, such as 2026-11-28T12:00:00Z; put it in quotes' });

const fileSchema = z.strictObject({
  generatedAt: z.optional(moment),
  workloads: z.array(workloadSchema),
  complete: z.optional(z.boolean()),
});

type Entry = z.infer<typeof workloadSchema>;

/** One mistake in the file. */
export interface FileMistake {
  /** Such as `workloads[0].swapMb[1]`; empty for the file as a whole. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** What the file says. */
export interface WorkloadsFile {
  readonly workloads: readonly Workload[];
  /** When the list was made (ms); undefined where the file does not say. */
  readonly generatedAtMs: number | undefined;
  /** Whether it is the whole list; undefined where the file does not say. */
  readonly complete: boolean | undefined;
}

export type ParsedWorkloads =
  | (WorkloadsFile & { readonly errors?: undefined })
  | { readonly workloads?: undefined; readonly errors: readonly FileMistake[] };

/** Reads the YAML list of workloads (`workloads:`, one entry per VM). Unknown keys are errors; every error has its path and line. */
export function parseWorkloads(text: string): ParsedWorkloads {
  const quick = fileSchema.safeParse(parseProgramsJson(text));
  if (quick.success) return toFile(quick.data);
  const document = parseYamlDocument(text);
  if (document.problems !== undefined)
    return { errors: document.problems.map(({ message, at }) => ({ path: '', line: at?.line ?? 1, message })) };
  const parsed = fileSchema.safeParse(document.value ?? {}, { error: messageFor });
  if (parsed.success) return toFile(parsed.data);
  const errorAt = (path: readonly PropertyKey[], message: string): FileMistake => ({
    path: formatPath(path),
    line: document.locate(path, true)?.line ?? 1,
    message,
  });
  const errors = parsed.error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [errorAt(issue.path, issue.message)];
    return issue.keys.map((key) => errorAt([...issue.path, key], `is unknown; known are ${knownKeys(issue.path)}`));
  });
  return { errors };
}

function toFile({ generatedAt, workloads, complete }: z.infer<typeof fileSchema>): WorkloadsFile {
  return { workloads: workloads.map(toWorkload), generatedAtMs: generatedAt === undefined ? undefined : Date.parse(generatedAt), complete };
}

function toWorkload(entry: Entry): Workload {
  return {
    source: FILE_SOURCE,
    name: entry.name,
    instanceNames: instanceNamesOf(entry.name, entry.uuid),
    resizing: entry.resizing ?? false,
    images: [...imageOf('image', entry.imageRef), ...imageOf('kernel', entry.kernelId), ...imageOf('ramdisk', entry.ramdiskId)],
    swapMb: (entry.swapMb ?? []).filter((sizeMb) => sizeMb > 0),
    ephemeral: (entry.ephemeral ?? []).filter(({ sizeGb }) => sizeGb > 0),
    paths: [],
  };
}

function imageOf(role: ImageRole, ref: string | undefined): readonly ImageReference[] {
  return ref === undefined || ref === '' ? [] : [{ role, ref }];
}

function knownKeys(path: readonly PropertyKey[]): string {
  if (path.length === 0) return Object.keys(fileSchema.shape).join(', ');
  return (path.includes('ephemeral') ? ['sizeGb', 'filesystem'] : Object.keys(workloadSchema.shape)).join(', ');
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section of keys and values',
};

/** What to write instead, for zod's `error` option; undefined where the schema has a message of its own. */
function messageFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'too_small') return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.input === undefined) return 'is required';
  const hint = issue.expected === 'string' && typeof issue.input !== 'object' ? '; put it in quotes' : '';
  return `must be ${EXPECTED[issue.expected] ?? issue.expected}${hint}`;
}
