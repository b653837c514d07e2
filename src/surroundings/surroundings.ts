import type { Surroundings, Clock } from '../model/ports.ts';
import type { GateObjections } from '../model/snapshot.ts';
import { signsOfOthers, type AloneParts } from './alone.ts';
import { strangeDirectories, type DirectoryPaths } from './directories.ts';
import { clockProblem, type ServerTime } from './server-clock.ts';

export interface SurroundingsOptions extends DirectoryPaths {
  /** Undefined: the configuration says how the directory is shared, or that it is not. */
  readonly alone: Omit<AloneParts, 'nowMs' | 'instancesPath' | 'basePath'> | undefined;
  readonly clock: Clock;
  /** What the API server said last; undefined where none is asked. */
  readonly serverTime: () => ServerTime | undefined;
}

/** Looks at what a pass relies on without asking: which directories these are, who else has them, and what time it is. */
export function createSurroundings(options: SurroundingsOptions): Surroundings {
  return {
    inspect(): GateObjections {
      const now = options.clock.now();
      return {
        DirectoryMismatch: strangeDirectories(options),
        SharedUndeclared: options.alone === undefined ? [] : signsOfOthers({ ...options, ...options.alone, nowMs: now.wallMs }),
        ClockNotSane: clockProblem(options.serverTime(), now),
      };
    },
  };
}
