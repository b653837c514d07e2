import { posix } from 'node:path';
import type { HostReport, ReportedWorkload } from '../model/host-report.ts';
import type { PinPolicy } from '../model/policy.ts';
import type { SourceReading, SourceStatus, Workload, WorkloadDisk } from '../model/workload.ts';
import * as z from 'zod/mini';
import { parseStrictJson } from '../lib/json.ts';
import { isSegment, MAX_SIZE } from '../sources/workload-fields.ts';

/** Next to the lock files, which every host can write. */
const REPORT_PREFIX = 'basekeeper-host-';

/** The file name of a host's report; undefined for a name that cannot be part of a file name that we would write. */
export function reportFileName(host: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(host) ? `${REPORT_PREFIX}${host}.json` : undefined;
}

/** Limits of a report: the writer keeps within them, and the reader refuses what does not. Several times what a host of 300 VMs says. */
export const MAX_REPORT_BYTES = 2 * 1024 * 1024;
const BOUNDS = { values: 60_000, depth: 8 };
const MAX_WORKLOADS = 4000;
const MAX_ENTRIES = 1000;
const MAX_TEXT = 4096;

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
  const strict = parseStrictJson(json, BOUNDS);
  if (strict.problem !== undefined) return { problem: PROBLEMS[strict.problem] };
  const { success, data, error } = report.safeParse(strict.value);
  if (!success) {
    const [first] = error.issues;
    return {
      problem: `its report is not one that this version understands: ${first?.path.join('.') ?? ''} ${first?.message ?? ''}`.trim(),
    };
  }
  if (data.host !== host) return { problem: `its report says that it is about host ${JSON.stringify(data.host)}` };
  return { report: data };
}

const PROBLEMS = {
  'not JSON': 'its report is not JSON',
  'too much': `its report says more than ${BOUNDS.values} things, which is more than is read`,
  'a key twice': 'its report has a key twice, so it may mean either',
} as const;

/** The text that other hosts read. One that they would refuse says so itself, with nothing else in it. */
export function formatHostReport(ours: HostReport): string {
  const json = JSON.stringify(ours);
  const isReadable = Buffer.byteLength(json) <= MAX_REPORT_BYTES && parseStrictJson(json, BOUNDS).problem === undefined;
  if (isReadable) return json;
  const reason = `its ${ours.workloads.length} workloads and ${ours.pins.length} pins do not fit into a report, which has ${MAX_REPORT_BYTES} bytes and ${BOUNDS.values} values at most`;
  return JSON.stringify({ ...ours, incomplete: [reason, ...ours.incomplete], workloads: [], pins: [] });
}

const MAX_REASONS = 10;
const MAX_REASON_LENGTH = 300;

export interface HostFacts {
  readonly host: string;
  /** Wall clock (ms) before the sources were asked. */
  readonly takenAtMs: number;
  readonly onlyByReport: boolean;
  /** As on the host; other hosts see what lies below it, and nothing else. */
  readonly instancesPath: string;
  /** Of the base directory: a file in a directory of that name is kept by its own name, wherever it is mounted. */
  readonly subdirectoryName: string;
  /** Those of the configuration. */
  readonly pins: PinPolicy;
}

/** What an agent reports to the hosts that share its directory: what its own sources know, and whether that is all. */
export function hostReport(facts: HostFacts, readings: readonly SourceReading[], nowMs: number): HostReport {
  const workloads = readings.flatMap((reading) => reading.workloads);
  const incomplete = [
    ...readings.flatMap((reading) => whatIsMissing(reading, nowMs)),
    ...tooMany(workloads),
    ...workloads.flatMap((vm) => outOfSight(vm, facts)),
  ];
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'HostReport',
    host: facts.host,
    takenAtMs: facts.takenAtMs,
    onlyByReport: facts.onlyByReport,
    incomplete: incomplete.slice(0, MAX_REASONS).map((reason) => reason.slice(0, MAX_REASON_LENGTH)),
    workloads: workloads.slice(0, MAX_WORKLOADS).map((vm) => reported(vm, facts)),
    // What is wanted here is kept everywhere; that it should be on other hosts as well, nobody has said.
    pins: [{ origin: 'configuration', ...facts.pins }, ...readings.flatMap(({ pins = [] }) => pins)].map(
      ({ origin, imageRefs, fileNames }) => ({ origin, imageRefs, fileNames }),
    ),
  };
}

function whatIsMissing({ status, gaps }: SourceReading, nowMs: number): string[] {
  const problem = sourceProblem(status, nowMs);
  return [...(problem === undefined ? [] : [`source ${status.name} ${problem}`]), ...gaps.map(({ message }) => message)];
}

function sourceProblem({ state, message, lastContactMs, freshLimitMs }: SourceStatus, nowMs: number): string | undefined {
  if (state === 'syncing' || state === 'failed') return `is ${state}${message === undefined ? '' : `: ${message}`}`;
  if (state === 'synced' && !(nowMs - (lastContactMs ?? Number.NaN) <= freshLimitMs))
    return `has been silent for more than ${freshLimitMs / 1000} s`;
  return undefined;
}

/** A disk elsewhere may be backed by a base file, and only its own host can look. A raw one is backed by nothing. */
function outOfSight({ name, paths, disks = [] }: Workload, facts: HostFacts): string[] {
  const described = new Set(disks.map(({ path }) => path));
  const others: WorkloadDisk[] = paths.filter((path) => !described.has(path) && !isInBase(path, facts)).map((path) => ({ path }));
  const outside = [...disks, ...others].filter(
    ({ path, format, isLoaded }) => format !== 'raw' && isLoaded !== true && !path.startsWith(`${facts.instancesPath}/`),
  );
  return [...new Set(outside.map(({ path }) => path))].map(
    (path) => `the disk ${JSON.stringify(path)} of ${name} lies outside the instances path, where other hosts cannot read it`,
  );
}

export function isInBase(path: string, { subdirectoryName }: Pick<HostFacts, 'subdirectoryName'>): boolean {
  return posix.basename(posix.dirname(path)) === posix.basename(subdirectoryName);
}

function tooMany(workloads: readonly Workload[]): string[] {
  return workloads.length > MAX_WORKLOADS ? [`there are ${workloads.length} workloads; a report has at most ${MAX_WORKLOADS}`] : [];
}

/**
 * A path in a report has no format, and so it may be an image. A disk that its host opens as raw alone is left out: the others find the
 * file by themselves, and what its guest writes must not hold them.
 */
function reported(vm: Workload, facts: HostFacts): ReportedWorkload {
  const { name, instanceNames, resizing, images, swapMb, ephemeral, disks = [] } = vm;
  const isRawAlone = (path: string): boolean => {
    const named = disks.filter((disk) => disk.path === path);
    return named.length > 0 && named.every(({ format }) => format === 'raw');
  };
  const inBase = (vm.mentions ?? []).filter((path) => isInBase(path, facts));
  // What lies elsewhere was said to be out of sight, or is loaded as it is.
  const isShown = (path: string): boolean => isInBase(path, facts) || (!isRawAlone(path) && path.startsWith(`${facts.instancesPath}/`));
  const paths = [...vm.paths.filter(isShown), ...inBase];
  return { name, instanceNames, resizing, images, swapMb, ephemeral, paths };
}
