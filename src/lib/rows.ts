import type { Rows } from '../model/rows.ts';

/** Rows made from other rows, each when it is asked for. */
export interface MappedRows<T> extends Rows<T> {
  toJSON(): T[];
}

/** The rows of `rows` through `map`, which must be pure: a row that is asked for twice is made twice. */
export function mapRows<From, To>(rows: Rows<From>, map: (row: From, index: number) => To): MappedRows<To> {
  return {
    length: rows.length,
    at(position) {
      const index = position < 0 ? rows.length + position : position;
      const row = rows.at(index);
      return row === undefined ? undefined : map(row, index);
    },
    *[Symbol.iterator]() {
      let index = 0;
      for (const row of rows) yield map(row, index++);
    },
    toJSON() {
      return [...this];
    },
  };
}
