import type { ClockReading } from '../model/snapshot.ts';

/** How far this machine's clock may be from the API server's, in ms. Far less than the youngest age at which anything is removed. */
export const SERVER_CLOCK_TOLERANCE_MS = 300_000;

/** What a server's `Date` header said, and both clocks of this machine at that moment. */
export interface ServerTime {
  readonly serverMs: number;
  readonly at: ClockReading;
}

/**
 * What is wrong with this machine's clock by the API server's. The first pass of a process has no other clock to compare with, and a
 * clock that was set wrong before the start makes every file look old.
 */
export function clockProblem(server: ServerTime | undefined, now: ClockReading): string[] {
  if (server === undefined) return [];
  const serverNowMs = server.serverMs + (now.monotonicMs - server.at.monotonicMs);
  const skewMs = now.wallMs - serverNowMs;
  if (Math.abs(skewMs) <= SERVER_CLOCK_TOLERANCE_MS) return [];
  const where = skewMs > 0 ? 'ahead of' : 'behind';
  return [`the clock of this machine is ${Math.round(Math.abs(skewMs) / 1000)} s ${where} the API server's; set the clocks`];
}
