/**
 * What layouts are made of: each axis has choices, the first is the plain one. Whatever `holds` may keep the gate closed, because
 * something is there that a pass need not see or understand; without such a choice the gate must be open.
 */
export interface Choice {
  readonly about: string;
  /** How often it is drawn, against its neighbours. Default 1; the plain one 4. */
  readonly weight?: number;
  readonly holds?: true;
}

/** Drawn once for a layout. */
export const WORLD_AXES = {
  mounted: {
    here: { about: 'the instances path is the one that headers name' },
    elsewhere: { about: 'the tree is mounted elsewhere, and hostInstancesPath says what headers name', weight: 2 },
    unnamed: { about: 'the tree is mounted elsewhere, and nothing says what headers name', holds: true },
    linked: { about: 'the instances path is reached through a link' },
  },
  user: {
    root: { about: 'the pass runs as root' },
    nova: { about: 'the pass runs as the owner of the tree, without privileges', weight: 2 },
  },
  trash: {
    off: { about: 'removed files are unlinked' },
    on: { about: 'removed files go to the trash' },
  },
  limit: {
    none: { about: 'all that is unused goes in one pass' },
    one: { about: 'maxRemovalsPerPass is 1: what stays for the next pass protects what it stands on' },
  },
  outside: {
    visible: { about: 'what lies outside the instances path is there for the pass as well' },
    hidden: { about: 'what lies outside the instances path is not mounted where the pass runs', holds: true },
  },
} as const satisfies Record<string, Readonly<Record<string, Choice>>>;

/** Drawn for each stander: an image, the files between it and the base directory, and the base files below. */
export const PART_AXES = {
  place: {
    instance: { about: '<instances>/<uuid>/' },
    resize: { about: '<instances>/<uuid>_resize/' },
    del: { about: '<instances>/<uuid>_del/' },
    top: { about: 'directly in the instances path' },
    nested2: { about: 'two directories down' },
    nested4: { about: 'four directories down' },
    nested6: { about: 'six directories down' },
    linkedIn: { about: 'a directory further down, which a link in the instances path leads to' },
    linkedOut: { about: 'a directory outside, which a link in the instances path leads to', holds: true },
    fileLinkIn: { about: 'the disk is a link to an image elsewhere in the tree' },
    fileLinkOut: { about: 'the disk is a link to an image outside', holds: true },
    outside: { about: 'outside the instances path; a source names it' },
    base: { about: 'a file of the base directory that stays', weight: 4 },
    baseSub: { about: 'a directory below the base directory' },
    trash: { about: 'a file in the trash' },
    locks: { about: 'an image in the lock directory' },
    slice: { about: 'at an offset of a file, as a slice of a libvirt disk', holds: true },
    none: { about: 'no image: a source names the base file itself' },
  },
  name: {
    disk: { about: 'disk' },
    eph: { about: 'disk.eph0' },
    config: { about: 'disk.config' },
    root: { about: 'root.qcow2' },
    snap: { about: 'snap-1' },
    delta: { about: '5f0e2c9a.delta' },
    hidden: { about: '.root.tmp' },
    blank: { about: 'my disk (1).img' },
    strange: { about: 'a name with a line end and a quote' },
  },
  format: {
    qcow2: { about: 'qcow2, version 3' },
    qcow2v2: { about: 'qcow2, version 2' },
    noFormat: { about: 'qcow2 without a backing format' },
    qcow: { about: 'qcow, version 1', holds: true },
    qed: { about: 'QED', holds: true },
    vmdk: { about: 'VMDK with a parent', holds: true },
    vmdkExtent: { about: 'a VMDK descriptor whose extent is the base file', holds: true },
    dataFile: { about: 'qcow2 whose external data file is the base file' },
  },
  spelling: {
    absolute: { about: 'an absolute path' },
    relative: { about: 'a path relative to the image' },
    dotted: { about: 'an absolute path with ./, .. and //' },
    file: { about: 'file:/…' },
    jsonNested: { about: 'json: with nested objects' },
    jsonFlat: { about: 'json: with file.filename alone' },
    alias: { about: 'through a link outside that leads to the instances path', holds: true },
    linkOut: { about: 'through a link outside, of another name', holds: true },
    linkIn: { about: 'through a relative link in the instances path, of another name' },
    linkInAbsolute: { about: 'through an absolute link in the instances path, of another name', holds: true },
    linkInBase: { about: 'through a link in the base directory, of another name' },
    jump: { about: 'a path whose .. comes after a link', holds: true },
    hardLinkOut: { about: 'a hard link outside, of another name', holds: true },
    bindMount: { about: 'a bind mount in the instances path, of another name', holds: true },
  },
  middle: {
    none: { about: 'nothing between the image and the base directory', weight: 8 },
    beside: { about: 'images beside it' },
    other: { about: 'images in another instance directory' },
    nested: { about: 'images further down' },
    baseForeign: { about: 'images in the base directory with names that are not ours' },
    baseUnused: { about: 'images in the base directory that nothing else uses' },
    outside: { about: 'images outside', holds: true },
    offset: { about: 'an image that begins at an offset of a file', holds: true },
    within: { about: 'an image within an image of another format', holds: true },
  },
  middleNamed: {
    nobody: { about: 'no source names the images between', weight: 8 },
    definition: { about: 'the definition of a libvirt domain names the uppermost of them as qcow2' },
    probed: { about: 'a command line names the uppermost of them without a format' },
  },
  depth: {
    one: { about: 'one image between' },
    two: { about: 'two images between' },
    four: { about: 'four images between' },
  },
  baseKind: {
    original: { about: '<sha1>' },
    resized: { about: '<sha1>_<digits>' },
    legacy: { about: '<sha1>_sm' },
    ephemeral: { about: 'ephemeral_<GB>_<hash>' },
    swap: { about: 'swap_<MB>' },
    trashed: { about: 'a file in the trash whose grace is over' },
    twoNames: { about: 'a file of the base directory with a name in the trash, by which it is used' },
    twoNamesBase: { about: 'a file of the base directory with a name in the trash, by which nobody uses it' },
  },
  baseFormat: {
    raw: { about: 'raw' },
    qcow2: { about: 'qcow2', weight: 2 },
    vmdk: { about: 'VMDK, monolithicSparse' },
    vmdkStream: { about: 'VMDK, streamOptimized' },
    vmdkFlat: { about: 'VMDK, monolithicFlat: its extent is another file' },
    vpc: { about: 'VHD' },
    vdi: { about: 'VDI' },
    vhdx: { about: 'VHDX' },
    luks: { about: 'LUKS' },
    qed: { about: 'QED', holds: true },
    parallels: { about: 'Parallels', holds: true },
  },
  below: {
    none: { about: 'the base file stands on nothing', weight: 6 },
    one: { about: 'the base file stands on another one' },
    three: { about: 'the base file stands on three others, one on another' },
  },
  keeper: {
    workload: { about: 'a workload names its image' },
    pinnedRef: { about: 'its image is pinned' },
    pinnedName: { about: 'its name is pinned' },
    young: { about: 'it is young' },
    foreign: { about: 'its name is not ours' },
    workloadResized: { about: 'it is the resized file of a workload' },
  },
  namedBy: {
    nobody: { about: 'no source names it', weight: 12 },
    definition: { about: 'the definition of a libvirt domain' },
    definitionRaw: { about: 'the definition of a libvirt domain, with raw as its format' },
    status: { about: 'the status of a live libvirt domain' },
    volume: { about: '<source pool= volume=> of a directory pool', holds: true },
    backingStore: { about: '<backingStore> of a libvirt disk' },
    mirror: { about: '<mirror> of a libvirt disk' },
    definitionNone: { about: 'the definition of a libvirt domain, without a format' },
    commandLine: { about: 'qemu:commandline of a libvirt domain', holds: true },
    probed: { about: 'qemu:commandline of a libvirt domain, without a format' },
    blockdev: { about: 'qemu:commandline of a libvirt domain, in JSON' },
  },
  also: {
    nobody: { about: 'no other place names it', weight: 12 },
    sameRaw: { about: 'the status of the same domain, or its definition, says raw' },
    sameQcow2: { about: 'the status of the same domain, or its definition, says qcow2' },
    otherRaw: { about: 'another domain says raw' },
    otherCommandLine: { about: 'the command line of another domain says qcow2' },
    otherProbed: { about: 'the command line of another domain names it without a format' },
  },
  declared: {
    truly: { about: 'the image says what format the file below it has', weight: 8 },
    raw: { about: 'the image says that the file below it is raw, whatever it is' },
  },
  diskInfo: {
    none: { about: 'no disk.info', weight: 6 },
    raw: { about: 'disk.info calls the image raw: its guest may have written the header' },
    qcow2: { about: 'disk.info calls the image qcow2' },
    both: { about: 'disk.info calls the image raw, and qcow2 by another path' },
  },
  mode: {
    readable: { about: 'it can be read', weight: 8 },
    file: { about: 'its owner is another, and its mode 0600', holds: true },
    directory: { about: 'its directory belongs to another, mode 0700', holds: true },
  },
} as const satisfies Record<string, Readonly<Record<string, Choice>>>;

/** Stand beside the standers; no base file depends on them. */
export const EXTRAS = {
  ordinary: { about: 'what Nova leaves in an instance directory' },
  surroundings: { about: 'what lies beside instance directories: lost+found, compute_nodes, empty directories' },
  flat: { about: 'disks that stand on nothing, in five formats' },
  network: { about: 'a disk that stands on an NBD export' },
  tampered: { about: 'a disk that disk.info calls raw and whose guest wrote a broken qcow2 header' },
  hardLinkBase: { about: 'an unused base file that has another name in an instance directory, as raw' },
  chainOfUnused: { about: 'unused base files that stand on each other: all go' },
  rawTwins: { about: 'two instance directories whose names differ in a byte alone that is not UTF-8' },
  fifo: { about: 'a FIFO named disk', holds: true },
  dangling: { about: 'a disk that is a link to nothing', holds: true },
  broken: { about: 'a disk whose qcow2 header makes no sense', holds: true },
  loop: { about: 'two images that stand on each other', holds: true },
  missingBacking: { about: 'a disk whose backing file is not there', holds: true },
  outsideBacking: { about: 'a disk that stands on a file outside that is not there', holds: true },
  missingDisk: { about: 'a libvirt domain whose disk is not there', holds: true },
} as const satisfies Record<string, Choice>;

export type WorldAxis = keyof typeof WORLD_AXES;
export type PartAxis = keyof typeof PART_AXES;
export type World = { readonly [A in WorldAxis]: keyof (typeof WORLD_AXES)[A] };
export type PartChoices = { readonly [A in PartAxis]: keyof (typeof PART_AXES)[A] };
export type Extra = keyof typeof EXTRAS;
