import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again every 100 ms until there is a value; throws `what` after the time is up. */
export async function until<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s without success: ${what}`);
    await sleep(100);
  }
}
