import type { Surroundings, Clock } from '../model/ports.ts';
import type { GateObjections } from '../model/snapshot.ts';
import { signsOfOthers, type AloneParts } from './alone.ts';
import { strangeDirectories, type DirectoryPaths } from './directories.ts';
import { fileClockProblem } from './file-clock.ts';
import { clockProblem, type ServerTime } from './server-clock.ts';

export interface SurroundingsOptions extends DirectoryPaths {
  /** Undefined: the configuration says how the directory is shared, or that it is not. */
  readonly alone: Omit<AloneParts, 'nowMs' | 'instancesPath' | 'basePath'> | undefined;
  readonly clock: Clock;
  /** Whether the clock is that of files that are made now, which no test's clock is. */
  readonly comparesFiles: boolean;
  /** What the API server said last; undefined where none is asked. */
  readonly serverTime: () => ServerTime | undefined;
}

/** Looks at what a pass relies on without asking: which directories these are, who else has them, and what time it is. */
export function createSurroundings(options: SurroundingsOptions): Surroundings {
  return {
    inspect({ mayWrite = false } = {}): GateObjections {
      const now = options.clock.now();
      const strangers = strangeDirectories(options);
      const isAsked = options.comparesFiles && mayWrite && strangers.length === 0;
      return {
        DirectoryMismatch: strangers,
        SharedUndeclared: options.alone === undefined ? [] : signsOfOthers({ ...options, ...options.alone, nowMs: now.wallMs }),
        ClockNotSane: [...clockProblem(options.serverTime(), now), ...(isAsked ? fileClockProblem(options, options.clock) : [])],
      };
    },
  };
}
