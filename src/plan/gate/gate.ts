import type { Gate, GateClosure } from '../../model/plan.ts';
import type { GateReason } from '../../model/reasons.ts';
import type { StorageHostState } from '../../model/shared-storage.ts';
import type { ClockReading, Evidence, Snapshot } from '../../model/snapshot.ts';
import { runNow, type Sliced } from '../../lib/slices.ts';
import { inUseFromTheFuture } from './clock-evidence.ts';
import { openDirectories } from './open-directories.ts';

/** How far the wall clock may drift from the monotonic clock between two readings, and an mtime may lie ahead, in ms. */
export const CLOCK_TOLERANCE_MS = 60_000;

/** How many examples a closed gate names; the findings have them all. */
const EXAMPLES = 3;

/**
 * Says what a condition of the gate has against removals: one message each, or none. `fromTheFuture` is the only evidence that
 * needs a look at every file, and is gathered before.
 */
type Condition = (evidence: Evidence, fromTheFuture: string | undefined) => readonly string[];

const CONDITIONS: Readonly<Record<GateReason, Condition>> = {
  SourceNotSynced: ({ inventory }) =>
    inventory.sources
      .filter(({ state }) => state === 'syncing' || state === 'failed')
      .map(({ name, state, message }) => `source ${name} is ${state}${becauseOf(message)}`),
  SourceStale: ({ inventory, now }) =>
    inventory.sources
      .filter(
        ({ state, lastContactMs, freshLimitMs }) => state === 'synced' && !(now.wallMs - (lastContactMs ?? Number.NaN) <= freshLimitMs),
      )
      .map(({ name, freshLimitMs }) => `source ${name} has been silent for more than ${freshLimitMs / 1000} s`),
  ConsistentListMissing: ({ inventory, scannedAt }) =>
    inventory.sources
      .filter(({ state, consistentListAtMs }) => state === 'synced' && !((consistentListAtMs ?? Number.NaN) >= scannedAt.wallMs))
      .map(({ name, message }) => `source ${name} was not listed after the scan${becauseOf(message)}`),
  WorkloadIncomplete: ({ inventory }) => inventory.gaps.map(({ message }) => message),
  Unseen: ({ overlays }) => overlays.unseen.map(({ path, message }) => `${path}: ${message}`),
  ScanIncomplete: ({ scan }) => scan.problems.map(({ path, message }) => `${path}: ${message}`),
  DirectoryOpenToAll: openDirectories,
  ClockNotSane: (snapshot, fromTheFuture) => [...clockProblem(snapshot, fromTheFuture), ...(snapshot.surroundings?.ClockNotSane ?? [])],
  DirectoryMismatch: ({ surroundings }) => surroundings?.DirectoryMismatch ?? [],
  SharedUndeclared: ({ surroundings }) => surroundings?.SharedUndeclared ?? [],
  HostWorkloadsUnknown: hostsThatAre('unknown'),
  HostStale: hostsThatAre('stale'),
  StorageRegistryBroken: ({ inventory: { sharedStorage } }) => (sharedStorage?.problem === undefined ? [] : [sharedStorage.problem]),
  HostsUnsettled: ({ inventory: { sharedStorage } }) => (sharedStorage?.unsettled === undefined ? [] : [sharedStorage.unsettled]),
  EmptyInventory: ({ inventory, policy }) =>
    inventory.workloads.length > 0 || policy.allowEmptyInventory
      ? []
      : ['no source knows a single workload; set allowEmptyInventory if this node may have none'],
};

function becauseOf(message: string | undefined): string {
  return message === undefined ? '' : `: ${message}`;
}

function hostsThatAre(wanted: StorageHostState): Condition {
  return ({ inventory }) =>
    (inventory.sharedStorage?.hosts ?? [])
      .filter(({ state }) => state === wanted)
      .map(({ name, message }) => `host ${JSON.stringify(name)}: ${message ?? wanted}`);
}

/** The conditions under which removals are allowed at all. Every condition that is not met names itself. */
export function checkGate(snapshot: Snapshot): Gate {
  return runNow(gateSteps(snapshot));
}

/** As `checkGate`, in slices. */
export function* gateSteps(snapshot: Snapshot): Sliced<Gate> {
  const reasons = closuresOf(snapshot, yield* inUseFromTheFuture(snapshot, CLOCK_TOLERANCE_MS));
  return { open: reasons.length === 0, reasons };
}

/** What closes the gate, by all evidence but the base files themselves. */
export function closuresOf(evidence: Evidence, fromTheFuture?: string): GateClosure[] {
  return (Object.entries(CONDITIONS) as [GateReason, Condition][]).flatMap(([reason, condition]) => {
    const messages = condition(evidence, fromTheFuture);
    return messages.length === 0 ? [] : [{ reason, message: summarize(messages) }];
  });
}

function summarize(messages: readonly string[]): string {
  const examples = messages.slice(0, EXAMPLES).join('; ');
  return messages.length > EXAMPLES ? `${examples}; and ${messages.length - EXAMPLES} more` : examples;
}

function clockProblem({ now, scannedAt, previousPass }: Evidence, fromTheFuture: string | undefined): string[] {
  const messages: string[] = [];
  if (previousPass !== undefined && driftMs(previousPass, now) > CLOCK_TOLERANCE_MS) {
    messages.push(
      `the wall clock and the monotonic clock disagree by ${Math.round(driftMs(previousPass, now) / 1000)} s since the last pass`,
    );
  } else if (driftMs(scannedAt, now) > CLOCK_TOLERANCE_MS) {
    messages.push(`the wall clock jumped by ${Math.round(driftMs(scannedAt, now) / 1000)} s during the pass`);
  }
  if (fromTheFuture !== undefined)
    messages.push(`${fromTheFuture} is in use, but its mtime lies in the future: the clock was set back, or the file's was wrong`);
  return messages;
}

function driftMs(from: ClockReading, to: ClockReading): number {
  return Math.abs(to.wallMs - from.wallMs - (to.monotonicMs - from.monotonicMs));
}
