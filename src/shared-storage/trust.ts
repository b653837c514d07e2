import type { Provenance } from '../model/filesystem.ts';

/** What is asked of the place that a file lies in. */
export interface Place {
  /** Of the directory that the file was opened in, by its descriptor. */
  readonly directory: Pick<Provenance, 'uid' | 'device'>;
  /** Who may own the file besides the owner of the directory. */
  readonly alsoOwnedBy: readonly number[];
}

const OTHERS_MAY_WRITE = 0o002;
/** Much else begins so. */
const NO_HOSTS = '{}';

/**
 * Why the file is not believed, if so: it may have been put there, or mounted in its place, by somebody who must not decide what is written
 * into it. Undefined: it is what it seems.
 */
export function distrust({ links, uid, mode, device }: Provenance, { directory, alsoOwnedBy }: Place): string | undefined {
  if (links === 0) return 'the file was replaced on the host, but this container still has the old one mounted: restart the agent';
  if (links > 1) return `it has ${links} names: remove the others, or make it again`;
  if (device !== directory.device)
    return 'it is on another file system than its directory: something is mounted in its place; unmount that';
  if (uid !== directory.uid && !alsoOwnedBy.includes(uid))
    return `it belongs to user ${uid}, its directory to user ${directory.uid}: find out who made it, then chown it to user ${directory.uid}`;
  if ((mode & OTHERS_MAY_WRITE) !== 0) return 'every user of the node may write to it: check what it says, then chmod o-w it';
  return undefined;
}

/**
 * Whether `found` can be what is left of writing `wanted`: nothing, its beginning, or all of it with the end of a longer text that was not
 * yet cut off. Anything else was written by somebody else, and is not ours to write over.
 */
export function isUnfinished(found: string, wanted: string): boolean {
  return wanted.startsWith(found) || (wanted !== NO_HOSTS && found.startsWith(wanted));
}
