import type { Sliced } from '../../lib/slices.ts';
import type { Provenance } from '../../model/filesystem.ts';

/** What takes the lines of a file. The bytes are those from `start` to `end` of the buffer, and belong to the reader. */
export interface LineSink {
  line(buffer: Buffer, start: number, end: number): void;
  /** In place of a line that is longer than any record. */
  longLine(): void;
  /** What follows the last newline, where anything does: no bytes of it where it is longer than any record. */
  rest(buffer: Buffer, start: number, end: number): void;
}

/** A ledger's directory, held open. Every call throws an errno error with the path that people know. */
export interface LedgerFiles {
  readonly directory: string;
  readonly provenance: Provenance;
  /** Their names, oldest first. */
  segments(): readonly string[];
  /** The text of head.json; undefined where there is none. */
  head(): string | undefined;
  /** Hands the lines of a segment to `sink`. ENOENT where it is gone, EINVAL for what is not a regular file. */
  read(segment: string, sink: LineSink): Sliced<Provenance>;
  /** Another text after each change of the files. */
  version(): string;
  close(): void;
}
