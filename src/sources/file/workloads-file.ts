import * as z from 'zod/mini';
import type { ImageReference, ImageRole, Workload } from '../../model/workload.ts';
import { instanceNamesOf, isSegment, MAX_SIZE } from '../workload-fields.ts';
import { parseProgramsJson, parseYaml, type YamlError } from './yaml-text.ts';

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
const fileSchema = z.strictObject({ workloads: z.array(workloadSchema) });

type Entry = z.infer<typeof workloadSchema>;
export type ParsedWorkloads =
  | { readonly workloads: readonly Workload[]; readonly errors?: undefined }
  | { readonly workloads?: undefined; readonly errors: readonly YamlError[] };

/** Reads the YAML list of workloads (`workloads:`, one entry per VM). Unknown keys are errors; every error has its path and line. */
export function parseWorkloads(text: string): ParsedWorkloads {
  const quick = fileSchema.safeParse(parseProgramsJson(text));
  if (quick.success) return { workloads: quick.data.workloads.map(toWorkload) };
  const document = parseYaml(text);
  if (document.errors !== undefined) return document;
  const parsed = fileSchema.safeParse(document.value ?? {}, { error: messageFor });
  if (parsed.success) return { workloads: parsed.data.workloads.map(toWorkload) };
  const errors = parsed.error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [document.errorAt(issue.path, issue.message)];
    return issue.keys.map((key) => document.errorAt([...issue.path, key], `is unknown; known are ${knownKeys(issue.path)}`));
  });
  return { errors };
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
