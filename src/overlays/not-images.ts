/**
 * Names of files that are not images, each with the reason. A file of such a name that cannot be read holds nothing, and bytes in it
 * that are not understood neither; what they name anyway is kept.
 */
const NEVER_IMAGES: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /^console\.log(?:\.[0-9]+)?$/, why: 'the console of the guest, written by virtlogd' },
  { pattern: /\.log(?:\.[0-9]+)?$/, why: 'a log' },
  { pattern: /^disk\.info$/, why: 'the formats of the disks beside it, as JSON; it is read as such' },
  { pattern: /^(?:libvirt|unrescue|memory|capabilities)\.xml$/, why: 'a document of libvirt, kept by Nova' },
  {
    pattern: /(?:_VARS\.fd|\.nvram|_VARS(?:\.[A-Za-z0-9_-]+)*\.fd)$/,
    why: 'the variables of the firmware: raw, and opened by the hypervisor as such',
  },
  { pattern: /^(?:tpm2?-00\.(?:permall|volatilestate|savestate)|\.lock)$/, why: 'the state of a virtual TPM, of swtpm' },
  { pattern: /^compute_nodes$/, why: 'the registry of hosts, as JSON' },
  { pattern: /\.pid$/, why: 'the number of a process' },
];

/** Directories that need not be entered where they cannot be, or where they are another file system, each with the reason. */
const NEVER_ENTERED: readonly { readonly name: string; readonly anywhere: boolean; readonly why: string }[] = [
  { name: 'lost+found', anywhere: false, why: 'what a file system check could not name: no process has it as a disk' },
  { name: '.snapshot', anywhere: true, why: 'past states that a filer shows, read-only: no process has them as disks' },
  { name: '.snapshots', anywhere: true, why: 'past states that a file system shows, read-only' },
  { name: '.zfs', anywhere: true, why: 'past states that a file system shows, read-only' },
];

export function isNeverAnImage(name: string): boolean {
  return NEVER_IMAGES.some(({ pattern }) => pattern.test(name));
}

/** @param depth 0 for an entry of the instances path itself. */
export function isNoPlaceForDisks(name: string, depth: number): boolean {
  return NEVER_ENTERED.some((directory) => directory.name === name && (directory.anywhere || depth === 0));
}
