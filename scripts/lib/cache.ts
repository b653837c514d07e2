/** Where scripts keep what they fetch or build once for all checkouts of a user, and how two runs at once do the work once. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { tryLock, waitForLock } from 'fs-native-extensions';

/** `${XDG_CACHE_HOME:-~/.cache}/basekeeper/<parts>`; not created. As the XDG specification says, an empty or relative path counts as unset. */
export function cacheDirectory(env: NodeJS.ProcessEnv, ...parts: readonly string[]): string {
  const given = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(given) ? given : join(env['HOME'] || homedir(), '.cache'), 'basekeeper', ...parts);
}

/** Creates the directory and runs `work` while this process alone holds it. `onWait` is called when another process has it first. */
export async function holdingDirectory<T>(directory: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(directory, { recursive: true });
  // An OFD lock goes away with its process, however that ends: a killed build leaves no stale lock behind.
  const lock = openSync(join(directory, '.lock'), 'a');
  try {
    if (!tryLock(lock)) {
      onWait();
      await waitForLock(lock);
    }
    return await work();
  } finally {
    closeSync(lock);
  }
}
