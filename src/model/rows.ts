/**
 * A read-only sequence that need not be an array, so that a scan of a million files can keep its rows in
 * compact columns. Every array is a `Rows`.
 */
export interface Rows<T> extends Iterable<T> {
  readonly length: number;
  at(index: number): T | undefined;
}
