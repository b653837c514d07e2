/** A base file that does not match its name or its recorded checksum. */
export interface Mismatch {
  readonly file: string;
  readonly message: string;
}

/** Receives what the reading of checksums finds, at once: a round takes an hour. */
export interface ChecksumObserver {
  read(bytes: number): void;
  /** A file was read to its end, and recorded or compared. */
  checked(): void;
}

/** What looking at the base files themselves has shown. */
export interface Verification {
  /** Files whose headers were looked at. */
  readonly files: number;
  readonly unreadableFiles: number;
  readonly mismatchedFiles: number;
  /** The first hundred. */
  readonly mismatches: readonly Mismatch[];
}
