import type { HostReport, ReportedWorkload } from '../model/shared-storage.ts';
import type { PinPolicy } from '../model/policy.ts';
import type { SourceReading, SourceStatus, Workload } from '../model/workload.ts';

/** A report with more than this is none that others should read again and again. */
const MAX_WORKLOADS = 10_000;
const MAX_REASONS = 10;
const MAX_REASON_LENGTH = 300;

export interface HostFacts {
  readonly host: string;
  /** Wall clock (ms) before the sources were asked. */
  readonly takenAtMs: number;
  readonly onlyByReport: boolean;
  /** Those of the configuration. */
  readonly pins: PinPolicy;
}

/** What an agent tells those that share its directory: what its own sources know, and whether that is all. */
export function hostReport(facts: HostFacts, readings: readonly SourceReading[], nowMs: number): HostReport {
  const workloads = readings.flatMap((reading) => reading.workloads);
  const incomplete = [...readings.flatMap((reading) => whatIsMissing(reading, nowMs)), ...tooMany(workloads)];
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'HostReport',
    host: facts.host,
    takenAtMs: facts.takenAtMs,
    onlyByReport: facts.onlyByReport,
    incomplete: incomplete.slice(0, MAX_REASONS).map((reason) => reason.slice(0, MAX_REASON_LENGTH)),
    workloads: workloads.slice(0, MAX_WORKLOADS).map(reported),
    pins: [{ origin: 'configuration', ...facts.pins }, ...readings.flatMap(({ pins = [] }) => pins)],
  };
}

function whatIsMissing({ status, gaps }: SourceReading, nowMs: number): string[] {
  const trouble = sourceTrouble(status, nowMs);
  return [...(trouble === undefined ? [] : [`source ${status.name} ${trouble}`]), ...gaps.map(({ message }) => message)];
}

function sourceTrouble({ state, message, lastContactMs, freshLimitMs }: SourceStatus, nowMs: number): string | undefined {
  if (state === 'syncing' || state === 'failed') return `is ${state}${message === undefined ? '' : `: ${message}`}`;
  if (state === 'synced' && !(nowMs - (lastContactMs ?? Number.NaN) <= freshLimitMs))
    return `has been silent for more than ${freshLimitMs / 1000} s`;
  return undefined;
}

function tooMany(workloads: readonly Workload[]): string[] {
  return workloads.length > MAX_WORKLOADS ? [`there are ${workloads.length} workloads; a report has at most ${MAX_WORKLOADS}`] : [];
}

function reported({ name, instanceNames, resizing, images, swapMb, ephemeral, paths }: Workload): ReportedWorkload {
  return { name, instanceNames, resizing, images, swapMb, ephemeral, paths };
}
