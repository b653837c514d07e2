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
  { pattern: /^(?:kernel|ramdisk)(?:\.rescue)?$/, why: 'a kernel or an initrd of an image, which the hypervisor loads as it is' },
  { pattern: /^compute_nodes$/, why: 'the registry of hosts, as JSON' },
  { pattern: /\.pid$/, why: 'the number of a process' },
];

/** Directories that need not be entered where they cannot be, or where they are another file system, each with the reason. */
const NEVER_ENTERED: readonly { readonly name: string; readonly why: string }[] = [
  { name: 'lost+found', why: 'what a file system check could not name: no process has it as a disk' },
  { name: '.snapshot', why: 'past states that a filer shows, read-only: no process has them as disks' },
  { name: '.snapshots', why: 'past states that a file system shows, read-only' },
  { name: 'tpm2', why: 'the state of a virtual TPM, of swtpm' },
  { name: 'vtpm', why: 'the state of a virtual TPM, of swtpm' },
  { name: 'nvram', why: 'the variables of firmware: raw, and opened by the hypervisor as such' },
  { name: '.zfs', why: 'past states that a file system shows, read-only' },
];

export function isNeverAnImage(name: string): boolean {
  return NEVER_IMAGES.some(({ pattern }) => pattern.test(name));
}

export function isNoPlaceForDisks(name: string): boolean {
  return NEVER_ENTERED.some((directory) => directory.name === name);
}
