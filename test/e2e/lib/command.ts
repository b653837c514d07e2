import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** What a command prints on stdout. Rejects with all that it printed when it fails or takes longer than five minutes. */
export async function output(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { env = process.env, cwd, timeoutMs = 300_000 } = options;
  try {
    return (await run(command, args, { env, cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 256 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`.trim(), { cause: error });
  }
}
