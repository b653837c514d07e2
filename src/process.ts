import type { Environment, Io } from './cli/io.ts';
import { errnoOf } from './lib/errors.ts';

/** What is still open this long after a command has ended must not keep the process. */
const LINGER_MS = 1000;

/** Gives a command line the process: signals, streams that break, and the exit code. */
export async function runProcess(run: (argv: readonly string[], env: Environment, io: Io) => Promise<number>): Promise<void> {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The first asks for a clean end, the second for any.
      if (ended.signal.aborted) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
      ended.abort(new Error(`stopped by ${signal}`));
    });
  }
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error) => {
      // The reader has seen enough (`| head`).
      if (errnoOf(error) !== 'EPIPE') throw error;
    });
  }
  const io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signal: ended.signal };
  process.exitCode = await run(process.argv.slice(2), process.env, io);
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
