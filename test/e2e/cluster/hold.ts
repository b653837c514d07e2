import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { tryLock, waitForLock } from 'fs-native-extensions';
import { cacheDirectory } from '../../../scripts/lib/cache.ts';
import { announceOnStderr } from '../../../scripts/lib/run.ts';

/** Where a cluster may be made. Held until this process ends: the cluster's names and addresses are there once on a machine. */
export async function holdClusterDirectory(): Promise<string> {
  const directory = cacheDirectory(process.env, 'e2e');
  mkdirSync(directory, { recursive: true });
  const lock = openSync(join(directory, 'lock'), 'a');
  if (!tryLock(lock)) {
    announceOnStderr('e2e: another end-to-end test runs on this machine; waiting for it');
    await waitForLock(lock);
  }
  return join(directory, 'run');
}
