/** Runs our own processes and takes what they measured. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Runs a script of bench/children to its end, with the heap that the program has; its standard output is one JSON value. */
export async function measureIn<T>(script: string, ...args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, ['--import', file('children/heap-flags.ts'), file(`children/${script}`), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), ended(child)]);
  return JSON.parse(output) as T;
}

/**
 * A script of bench/children that measures once for each message, with the heap that the program has. The peer runs from here, turn by turn:
 * a process that starts others takes page faults for that, in what it does next.
 */
export class Measured<T> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(script: string, ...args: readonly string[]) {
    this.#child = fork(file(`children/${script}`), args, { execArgv: ['--expose-gc', '--import', file('children/heap-flags.ts')] });
    this.#ended = ended(this.#child);
  }

  async measure(): Promise<T> {
    this.#child.send('measure');
    const answer = once(this.#child, 'message') as Promise<[T]>;
    const [value] = await Promise.race([answer, this.#ended.then(() => Promise.reject(new Error('the child has ended')))]);
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}

/** Throws when the process fails. */
export async function ended(child: ChildProcess): Promise<void> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${signal ?? code}`);
}

/** Seconds from the start of the process to its end, its output thrown away. */
export async function timed(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const started = performance.now();
  await ended(spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env }));
  return (performance.now() - started) / 1000;
}
