import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Shows one line of progress to anyone who started the script. */
export type Announce = (line: string) => void;

export const announceOnStderr: Announce = (line) => {
  process.stderr.write(`${line}\n`);
};

/** True for a regular file that this user may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** The full path of a command on PATH, or undefined. */
export function which(command: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, command))
    .find(isExecutable);
}

/** Runs a command without stdin, hands each line that it prints to `onLine`, and throws with its last lines when it fails. */
export async function runLines(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly onLine: Announce },
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: options.env, cwd: options.cwd });
  // A signal that ends this process need not reach the child: it may have been sent to us alone.
  const stopChild = () => child.kill('SIGTERM');
  process.once('exit', stopChild);
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      options.onLine(line);
    });
  }
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`${command} could not be started`, { cause }));
    });
    child.once('close', (exitCode, exitSignal) => {
      resolve([exitCode, exitSignal]);
    });
  });
  process.off('exit', stopChild);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (${signal ?? code}):\n${tail.join('\n')}`);
}
