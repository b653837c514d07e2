import type { SourceState, SourceStatus } from '../model/workload.ts';

/** From bad to good: the gate asks most of what it asks of a synced source, and of an absent one nothing, because nothing can come from it. */
const WORST_FIRST: readonly SourceState[] = ['failed', 'syncing', 'synced', 'absent'];

/** Undefined when one of them never was. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce(
    (first, time) => (first === undefined || time === undefined ? undefined : Math.min(first, time)),
    Number.POSITIVE_INFINITY,
  );
}

/** A source of several watches is as good as the worst of them, in each respect. */
export function worstOf(statuses: readonly Omit<SourceStatus, 'name'>[]): Omit<SourceStatus, 'name'> {
  const [worst] = statuses.toSorted((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
  if (worst === undefined) throw new Error('a source needs a watch');
  return {
    ...worst,
    lastContactMs: earliest(statuses.map(({ lastContactMs }) => lastContactMs)),
    consistentListAtMs: earliest(statuses.map(({ consistentListAtMs }) => consistentListAtMs)),
    freshLimitMs: Math.min(...statuses.map(({ freshLimitMs }) => freshLimitMs)),
    resourceVersion: [...new Set(statuses.flatMap(({ resourceVersion = [] }) => resourceVersion))].join(',') || undefined,
    message: statuses.find(({ message }) => message !== undefined)?.message,
  };
}
