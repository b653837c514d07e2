import type { FileIdentity } from '../model/plan.ts';
import type { DirectoryEntries } from '../model/ports.ts';
import type { Result } from './recheck.ts';

/** What an answer of `DirectoryEntries.withImageLock` means where nothing was run. */
const NOT_RUN: Readonly<Record<Exclude<ReturnType<DirectoryEntries['withImageLock']>, 'done'>, Result>> = {
  busy: { outcome: 'InUseByQemu', message: 'A running QEMU (or qemu-img, qemu-io, qemu-nbd) has it open.' },
  changed: { outcome: 'ChangedSincePlan', message: 'Another file has this name now.' },
  gone: { outcome: 'AlreadyGone' },
};

/** Runs `act` while no QEMU can have the file open; else says why not. */
export function underImageLock(directory: DirectoryEntries, name: string, identity: FileIdentity, act: () => Result): Result {
  let result: Result | undefined;
  const answer = directory.withImageLock(name, identity, () => {
    result = act();
  });
  if (answer !== 'done') return NOT_RUN[answer];
  return result ?? { outcome: 'RemovalFailed', message: 'The image lock was reported as held, but nothing was run under it.' };
}
