/** The directory that tests and node share, with a small file system in it. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { output } from '../lib/command.ts';
import { unmountAt } from '../lib/mounts.ts';

export const SMALL_MEBIBYTES = 100;

export interface SharedDirectory {
  readonly sharedDirectory: string;
  readonly smallDirectory: string;
}

/** Makes both, empty. Before the node starts: a node in a container does not see what is mounted later. Needs root. */
export async function makeSharedDirectory(sharedDirectory: string): Promise<SharedDirectory> {
  await removeSharedDirectory(sharedDirectory);
  const smallDirectory = join(sharedDirectory, 'small');
  mkdirSync(smallDirectory, { recursive: true, mode: 0o755 });
  // The agent's pod follows what is mounted later, which the runtime allows on a shared mount only; where systemd runs, "/" is one.
  await output('mount', ['--bind', sharedDirectory, sharedDirectory]);
  await output('mount', ['--make-shared', sharedDirectory]);
  await output('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_MEBIBYTES}m,mode=755`, 'basekeeper-e2e', smallDirectory]);
  return { sharedDirectory, smallDirectory };
}

/** Also what a run that was killed has left. */
export async function removeSharedDirectory(sharedDirectory: string): Promise<void> {
  await unmountAt(sharedDirectory);
  rmSync(sharedDirectory, { recursive: true, force: true });
}
