import { destination as openDestination, pino, stdTimeFunctions, type DestinationStream } from 'pino';
import type { Logger, LogLevel } from '../model/ports.ts';

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel | undefined;
  /** A file descriptor, 1 (stdout) by default, or a stream that tests read. */
  readonly destination?: 1 | 2 | DestinationStream | undefined;
}

/** JSON lines, written synchronously: nothing is lost when the process is killed. */
export function createLogger({ level = 'info', destination = 1 }: LoggerOptions = {}): Logger {
  const stream = typeof destination === 'number' ? openDestination({ fd: destination, sync: true }) : destination;
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
}
