/** A base file that is not what its name or its record says. */
export interface Mismatch {
  readonly file: string;
  readonly message: string;
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
