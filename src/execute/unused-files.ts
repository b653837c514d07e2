/** Some 100 bytes each, for as long as a pass lasts. More that only wait are looked at like any other file. */
const MOST_WAITING = 65_536;

/**
 * Base files that nobody uses by the plan, and of which nothing else has come to light: those that go in this pass, and those that a later one
 * takes. They are not asked again what they name (ADR 0023).
 */
export class UnusedFiles {
  readonly #names = new Set<string>();

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** It goes in this pass. */
  addGoing(name: string): void {
    this.#names.add(name);
  }

  /** A later pass takes it. */
  addWaiting(name: string): void {
    if (this.#names.size < MOST_WAITING) this.#names.add(name);
  }

  delete(name: string): void {
    this.#names.delete(name);
  }
}
