import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a shell script as root of a user namespace with mounts of its own: what it mounts, nobody else sees, and nothing is left of. */
export async function inMountNamespace(script: string, args: readonly string[] = []): Promise<string> {
  return await unshared(['--map-root-user'], script, args);
}

/** As `inMountNamespace`, where root may become any other user of this machine. Whoever is not root is root alone in there. */
export async function inMountNamespaceOfHost(script: string, args: readonly string[] = []): Promise<string> {
  return await unshared(process.geteuid?.() === 0 ? [] : ['--map-root-user'], script, args);
}

async function unshared(options: readonly string[], script: string, args: readonly string[]): Promise<string> {
  const command = [...options, '--mount', '--propagation', 'private', 'bash', '-euo', 'pipefail', '-c', script, 'script', ...args];
  const { stdout } = await run('unshare', command, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
