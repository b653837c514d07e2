import type { Rows } from '../model/rows.ts';

/** Work in slices: whoever runs it may do something else at each yield. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** A row takes some microseconds at most, so a slice takes a few milliseconds. */
const ROWS_PER_STEP = 256;

/** Hands each row to `look`, a slice at a time, until `look` returns false. */
export function* eachRow<T>(rows: Rows<T>, look: (row: T, index: number) => boolean | undefined): Steps<undefined> {
  // By index: rows that are made when they are asked for come faster than from an iterator.
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows.at(index);
    if (row === undefined || look(row, index) === false) return undefined;
    if (index % ROWS_PER_STEP === ROWS_PER_STEP - 1) yield;
  }
  return undefined;
}

/** Does all of the work at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
