import type { BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, hasErrno } from '../lib/errors.ts';
import { mountOf, readMountTable, type Mount } from '../disk/mount-table.ts';
import { networkFilesystemOf } from '../disk/network-filesystem.ts';

/**
 * Regular files whose bytes a guest or a tenant chooses, and which no hypervisor takes for an image. What they name is kept. What
 * they break holds nothing: else any guest could stop the cleaning of its host.
 */
const GUESTS_WRITE: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /^console\.log(?:\.[0-9]+)?$/, why: 'the console of the guest, which virtlogd writes down' },
  { pattern: /^(?:kernel|ramdisk)(?:\.rescue)?$/, why: 'a kernel or an initrd of a tenant, which the hypervisor loads as it is' },
  { pattern: /(?:_VARS\.fd|\.nvram|_VARS(?:\.[A-Za-z0-9_-]+)*\.fd)$/, why: 'the variables of the firmware, which the guest writes' },
];

/**
 * Regular files that only root may read, where daemons of the host leave them so. A disk that a VM uses belongs to its QEMU, and one that
 * Nova made to Nova. docs/safety.md names what remains: a disk of root's under such a name.
 */
const ROOT_KEEPS: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /^console\.log(?:\.[0-9]+)?$/, why: 'virtlogd writes it as root, mode 0600' },
  { pattern: /(?:_VARS\.fd|\.nvram)$/, why: 'libvirt gives the variables of firmware back to root when the VM is off' },
  { pattern: /^tpm2?-00\.(?:permall|volatilestate|savestate)$/, why: 'the state of a virtual TPM, of swtpm' },
];

/** Directories that show the past of the tree around them. Where that is a file system of its own which cannot change, no VM has a disk there. */
const PAST_STATES: ReadonlySet<string> = new Set(['.snapshot', '.snapshots', '.zfs']);
const CLOSED_TO_OTHERS = 0o077n;
const ROOT = 0n;

/** Whether bytes in a regular file of this name that are not understood say nothing. */
export function isWrittenByGuests(name: string): boolean {
  return GUESTS_WRITE.some(({ pattern }) => pattern.test(name));
}

/** Whether a file that may not be read is one that root keeps for itself. A second name of it may be a disk's. */
export function isKeptByRoot(name: string, stats: BigIntStats): boolean {
  if (!stats.isFile() || stats.nlink !== 1n || !isClosedByRoot(stats)) return false;
  return ROOT_KEEPS.some(({ pattern }) => pattern.test(name));
}

export function isNamedAsPast(name: string): boolean {
  return PAST_STATES.has(name);
}

/** A directory that the walk came to. */
export interface FoundDirectory {
  /** Without symbolic links. */
  readonly path: string;
  readonly stats: BigIntStats;
  readonly parentDevice: bigint | undefined;
}

/**
 * Whether a directory that may not be listed is where file system checks put what has no name. It lies at the root of its file
 * system, and root alone may enter it: no Nova and no QEMU of another user can have a disk there.
 */
export function isLostAndFound({ path, stats, parentDevice }: FoundDirectory): boolean {
  if (posix.basename(path) !== 'lost+found' || !stats.isDirectory() || !isClosedByRoot(stats)) return false;
  if (stats.dev !== parentDevice) return false;
  const parent = posix.dirname(path);
  const mount = mountTable().findLast(({ mountPoint }) => mountPoint === parent);
  return mount?.root === '/';
}

/** Whether a directory shows past states that nobody can change: those of a filer, which reserves the name, or of a file system that is read-only. */
export function isPastState({ path, stats, parentDevice }: FoundDirectory): boolean {
  if (!isNamedAsPast(posix.basename(path)) || !stats.isDirectory() || stats.dev === parentDevice) return false;
  if (networkFilesystemOf(path) === 'NFS') return true;
  // Of the file system, not of the mount: a container may have mounted read-only what the host writes.
  return mountOf(mountTable(), path)?.options.split(',').includes('ro') === true;
}

function isClosedByRoot({ uid, mode }: BigIntStats): boolean {
  return uid === ROOT && (mode & CLOSED_TO_OTHERS) === 0n;
}

/** Empty where it cannot be read: then nothing is excused by it. */
function mountTable(): readonly Mount[] {
  try {
    return readMountTable();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

/** Whether an error only says that we may not look. */
export function isRefusal(error: unknown): boolean {
  return hasErrno(error, 'EACCES', 'EPERM');
}
