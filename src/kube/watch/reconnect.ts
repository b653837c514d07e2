import type { ReflectorTiming } from './timing.ts';

/** What the watches of one connection have in common: they lose it together, and come back together. */
export interface Reconnect {
  /** How long (ms) a watch waits after its connection broke. */
  delayMs(timing: Pick<ReflectorTiming, 'minDelayMs' | 'reconnectSpreadMs'>): number;
  /** To be called when the API server answers a watch that came back that it does not know what has happened since. */
  losePast(): void;
  /** True when one of them got this answer after the last break: the others would get the same, and may list at once. */
  isPastLost(): boolean;
}

/**
 * The time is drawn once for all watches. Drawn one by one, the earliest of them would open the connection, and the handshakes of a fleet
 * would crowd into the first seconds. One watch reconnects first and the others follow a second later. If the restarted
 * server answers 410 Gone, the others list at once instead of being refused too: a refusal costs about half a list.
 */
export function createReconnect(nowMs: () => number, random: () => number): Reconnect {
  let atMs = Number.NEGATIVE_INFINITY;
  let pastLost = false;
  return {
    delayMs: ({ minDelayMs, reconnectSpreadMs }) => {
      const now = nowMs();
      const isFirst = atMs <= now;
      if (isFirst) {
        atMs = now + minDelayMs + random() * reconnectSpreadMs;
        pastLost = false;
      }
      return Math.max(minDelayMs, Math.round(atMs - now)) + (isFirst ? 0 : minDelayMs);
    },
    losePast: () => {
      pastLost = true;
    },
    isPastLost: () => pastLost,
  };
}
