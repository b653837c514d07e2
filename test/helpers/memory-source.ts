import { systemClock } from '../../src/lib/clock.ts';
import type { Clock, WorkloadSource } from '../../src/model/ports.ts';
import type { Gap, SourceState, Workload } from '../../src/model/workload.ts';

/** A source whose workloads a test puts in and takes out. */
export interface MemorySource extends WorkloadSource {
  put(workload: Partial<Workload> & { readonly name: string }): void;
  remove(name: string): void;
  /** From now on it cannot tell; undefined: it can again. */
  fail(message: string | undefined): void;
  setGaps(gaps: readonly Gap[]): void;
}

/** The in-memory twin of every source: it knows at once what is put in. */
export function memorySource(options: { readonly name?: string; readonly clock?: Clock } = {}): MemorySource {
  const { name = 'memory', clock = systemClock } = options;
  const workloads = new Map<string, Workload>();
  let gaps: readonly Gap[] = [];
  let failure: string | undefined;
  let lastContactMs: number | undefined;
  let consistentListAtMs: number | undefined;
  return {
    name,
    start: () => undefined,
    stop: async () => undefined,
    put: (workload) => {
      workloads.set(workload.name, { ...EMPTY, source: name, instanceNames: [workload.name], ...workload });
    },
    remove: (gone) => {
      workloads.delete(gone);
    },
    fail: (message) => {
      failure = message;
    },
    setGaps: (found) => {
      gaps = found;
    },
    read: async ({ consistent, signal }) => {
      const nowMs = clock.now().wallMs;
      const reached = failure === undefined && signal?.aborted !== true;
      if (reached) lastContactMs = nowMs;
      if (reached && consistent) consistentListAtMs = nowMs;
      const state: SourceState = failure === undefined ? 'synced' : 'failed';
      const status = { name, state, lastContactMs, freshLimitMs: 60_000, consistentListAtMs, message: failure };
      return { status, workloads: [...workloads.values()], gaps };
    },
  };
}

const EMPTY = { resizing: false, images: [], swapMb: [], ephemeral: [], paths: [] };
