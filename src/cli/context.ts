import type { Environment, Io } from './io.ts';
import type { Wiring } from '../wire/wiring.ts';

/** What every command is given. */
export interface Context {
  readonly env: Environment;
  readonly io: Io;
  /** Loads the composition root; late, because `--help` and `config` need none of it. */
  readonly wiring: () => Promise<Wiring>;
  /** Sets the exit code of the process; without it, a command that returns is done. */
  readonly exitWith: (code: number) => void;
}
