import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a shell script as root of a user namespace with mounts of its own: what it mounts, nobody else sees, and nothing is left of. */
export async function inMountNamespace(script: string, args: readonly string[] = []): Promise<string> {
  const command = ['--map-root-user', '--mount', '--propagation', 'private', 'bash', '-euo', 'pipefail', '-c', script, 'script', ...args];
  const { stdout } = await run('unshare', command, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
