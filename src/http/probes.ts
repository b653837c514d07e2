import type { SourceStatus } from '../model/workload.ts';
import { printable } from '../lib/text.ts';

/** What the probes ask. Messages are for people and name nothing that a stranger should not see. */
export interface Probes {
  /** Why the agent counts as dead: a pass hangs or does not begin. Undefined: alive. At once: it must not wait for a disk that hangs. */
  readonly unhealthy: () => string | undefined;
  /** Why the agent is not ready. Undefined: ready. Asks the sources. */
  readonly unready: () => string | undefined | Promise<string | undefined>;
}

/**
 * How long an answer about the sources may be given again. While one of them is listed for the first time the answer is soon wrong:
 * an agent that was asked too early would count as not ready for a second more than it is.
 */
export function freshMsOf(sources: readonly SourceStatus[]): number {
  return sources.some(({ state }) => state === 'syncing') ? 50 : 1000;
}

/** Names the sources that are not synced; a source whose API is absent has nothing to sync. Undefined `sources`: they do not answer. */
export function unreadySources(sources: readonly SourceStatus[] | undefined): string | undefined {
  if (sources === undefined) return 'the sources do not answer';
  const waiting = sources.filter(({ state }) => state !== 'synced' && state !== 'absent');
  return waiting.length === 0 ? undefined : waiting.map(({ name, state }) => printable(`source ${name} is ${state}`)).join('; ');
}
