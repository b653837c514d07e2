import * as z from 'zod/mini';
import type { HostReport } from '../model/shared-storage.ts';
import { isSegment } from './objects.ts';

/** Next to the lock files, which every host can write. */
const REPORT_PREFIX = 'basekeeper-host-';

/** The file name of a host's report; undefined for a name that cannot be part of a file name that we would write. */
export function reportFileName(host: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(host) ? `${REPORT_PREFIX}${host}.json` : undefined;
}

/** Limits beyond which a report is none. */
const MAX_WORKLOADS = 10_000;
const MAX_ENTRIES = 1000;
const MAX_TEXT = 4096;
const MAX_SIZE = 2 ** 31 - 1;

const text = z.string().check(z.maxLength(MAX_TEXT));
const texts = z.array(text).check(z.maxLength(MAX_ENTRIES));
const segments = z.array(z.string().check(z.refine(isSegment))).check(z.maxLength(MAX_ENTRIES));
const size = z.int().check(z.minimum(0), z.maximum(MAX_SIZE));

const workload = z.strictObject({
  name: text,
  instanceNames: segments,
  resizing: z.boolean(),
  images: z.array(z.strictObject({ role: z.enum(['image', 'kernel', 'ramdisk']), ref: text })).check(z.maxLength(MAX_ENTRIES)),
  swapMb: z.array(size).check(z.maxLength(MAX_ENTRIES)),
  ephemeral: z.array(z.strictObject({ sizeGb: size, filesystem: z.optional(text) })).check(z.maxLength(MAX_ENTRIES)),
  paths: texts,
});

const report = z.strictObject({
  apiVersion: z.literal('basekeeper.io/v1'),
  kind: z.literal('HostReport'),
  host: text,
  takenAtMs: z.number().check(z.minimum(0), z.maximum(8.64e15)),
  onlyByReport: z.boolean(),
  incomplete: texts,
  workloads: z.array(workload).check(z.maxLength(MAX_WORKLOADS)),
  pins: z
    .array(z.strictObject({ origin: text, imageRefs: z.array(text).check(z.maxLength(MAX_WORKLOADS)), fileNames: texts }))
    .check(z.maxLength(MAX_ENTRIES)),
});

export type ParsedReport =
  | { readonly report: HostReport; readonly problem?: undefined }
  | { readonly report?: undefined; readonly problem: string };

/** Reads what another host has written, or somebody in its name: strictly, and it must be about that host. */
export function parseHostReport(json: string, host: string): ParsedReport {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { problem: 'its report is no JSON' };
  }
  const { success, data, error } = report.safeParse(value);
  if (!success) {
    const [first] = error.issues;
    return { problem: `its report is none that this version understands: ${first?.path.join('.') ?? ''} ${first?.message ?? ''}`.trim() };
  }
  if (data.host !== host) return { problem: `its report says that it is about host ${JSON.stringify(data.host)}` };
  return { report: data };
}
