/** Some 100 bytes each, for as long as a pass lasts. More that only wait are looked at like any other file. */
const MOST_WAITING = 65_536;

/**
 * Files that nobody uses by the plan, and of which nothing else has come to light: those that go in this pass, those that a later one takes,
 * and those in the trash. They are not asked again what they name (ADR 0023).
 */
export class UnusedFiles {
  readonly #paths = new Set<string>();

  /** Relative to the base directory; see `trashPath` for those in the trash. */
  get paths(): ReadonlySet<string> {
    return this.#paths;
  }

  /** It goes in this pass, or has gone to the trash. */
  addGoing(path: string): void {
    this.#paths.add(path);
  }

  /** A later pass takes it. */
  addWaiting(path: string): void {
    if (this.#paths.size < MOST_WAITING) this.#paths.add(path);
  }

  delete(path: string): void {
    this.#paths.delete(path);
  }
}
