/** Runs the shipped programs as a user would, on the terminal. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { command, show } from './show.ts';

export const BUNDLE = fileURLToPath(new URL('../../dist/basekeeper.js', import.meta.url));
export const PLUGIN = fileURLToPath(new URL('../../dist/kubectl-basekeeper.js', import.meta.url));

interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Show no more than that of what it prints. */
  readonly lastLine?: boolean;
}

/** Shows the command and what it prints. */
export async function basekeeper(args: readonly string[], options: RunOptions = {}): Promise<void> {
  const shown = `basekeeper ${args.map((it) => it.replace(/^.*basekeeper-demo-[^/]*\//, '')).join(' ')}`;
  command(options.lastLine ? `${shown} | tail -n 1` : shown);
  await run(BUNDLE, args, options);
}

/** Not synchronously: what is being fetched or built goes on meanwhile. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...options.env },
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const text = printed.trimEnd();
  show(options.lastLine ? text.split('\n').at(-1) : text);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
}
