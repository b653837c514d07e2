import type { Rows } from '../model/rows.ts';

/**
 * Work in slices: its runner may let something else happen at each yield. Pure code can be a generator without knowing a timer
 * or the event loop; `runNow` runs it in tests and where it is short, `runInSlices` (pacer.ts) runs it in the agent.
 */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** A row takes some microseconds at most, so a slice takes a few milliseconds. */
const ROWS_PER_SLICE = 256;

/** Hands each row to `visit`, a slice at a time, until `visit` returns false. */
export function* forEachRow<T>(rows: Rows<T>, visit: (row: T, index: number) => unknown): Sliced<undefined> {
  // By index: rows that are made when they are asked for come faster than from an iterator.
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows.at(index);
    if (row === undefined || visit(row, index) === false) return undefined;
    if (index % ROWS_PER_SLICE === ROWS_PER_SLICE - 1) yield;
  }
  return undefined;
}

/** Does all of the work at once. */
export function runNow<T>(work: Sliced<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
