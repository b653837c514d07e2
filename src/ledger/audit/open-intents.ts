import type { IntentRange } from '../../model/ledger/records.ts';

/** Numbers of intents without an outcome, as ranges: nearly all follow one another. */
export class OpenIntents {
  #ranges: [first: number, last: number][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Numbers ascend; one that does not is passed over. */
  add(seq: number): void {
    const last = this.#ranges.at(-1);
    if (last !== undefined && seq <= last[1]) return;
    if (last?.[1] === seq - 1) last[1] = seq;
    else this.#ranges.push([seq, seq]);
    this.#size += 1;
  }

  /** Takes these out, and returns how many of them were in it. */
  settle(ranges: readonly IntentRange[]): number {
    const before = this.#size;
    for (const [first, last] of ranges) this.#ranges = this.#ranges.flatMap((range) => this.#without(range, first, last));
    return before - this.#size;
  }

  /** The first so many of them. */
  first(count: number): readonly number[] {
    const some = this.#ranges.slice(0, count);
    return some
      .flatMap(([first, last]) => Array.from({ length: Math.min(count, last - first + 1) }, (_, index) => first + index))
      .slice(0, count);
  }

  /** What is left of a range. */
  #without(range: [number, number], first: number, last: number): [number, number][] {
    const [from, to] = [Math.max(range[0], first), Math.min(range[1], last)];
    if (from > to) return [range];
    this.#size -= to - from + 1;
    const rest: [number, number][] = [];
    if (range[0] < from) rest.push([range[0], from - 1]);
    if (to < range[1]) rest.push([to + 1, range[1]]);
    return rest;
  }
}
