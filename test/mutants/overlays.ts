import type { MutantsOf } from './mutant.ts';

const GUEST_BYTES = 'test/integration/scan/guest-bytes.test.ts';
const OVERLAYS = 'test/integration/scan/overlays.test.ts';
const ORDINARY = 'test/integration/scan/ordinary-tree.test.ts';
const OVERLAY_CONTRACT = 'test/contract/scan/overlay-scanner.test.ts';
const SYSTEM_CALLS = 'test/integration/scan/system-calls.test.ts';
const CHAIN = 'test/unit/overlays/chain.test.ts';
const HOSTILE = 'test/hostile/disks.test.ts';
const VMDK = 'test/integration/vmdk.test.ts';
const FORMATS = 'test/unit/images/formats/formats.test.ts';
const KNOWN_FILES = 'test/integration/scan/known-files.test.ts';
const STATED = 'test/integration/stated-formats.test.ts';
const OPENED = 'test/integration/opened-names.test.ts';
const REAL_FORMATS = 'test/integration/scan/qcow2-header.test.ts';

/** What is seen of disks and images, and what is said of the rest. */
export const OVERLAY_RULES: readonly MutantsOf[] = [
  {
    file: 'src/overlays/empty-locks.ts',
    tests: [KNOWN_FILES],
    mutants: [
      {
        rule: 'a lock directory is taken as it was only where nothing else was in it',
        from: 'entries === this.#count ? stats : undefined',
        to: 'stats',
      },
      { rule: 'a lock directory is taken as it was only while its ctime is the same', from: ' && this.#all.ctimeNs === ctimeNs', to: '' },
    ],
  },
  {
    file: 'src/overlays/tree-walk.ts',
    tests: [OVERLAYS, OVERLAY_CONTRACT],
    mutants: [
      {
        rule: 'directories that change while they are read are read again',
        from: 'const changed = this.#takeChanged();',
        to: 'const changed = [] as Noted[];',
        tests: ['test/races/renames.test.ts'],
      },
      {
        rule: 'a lock directory whose ctime may stay the same is read again',
        from: 'isReliable ? stats : undefined',
        to: 'stats',
        tests: [KNOWN_FILES],
      },
      {
        rule: 'what was known by its name is looked at where it is another kind of entry by now',
        from: 'known !== undefined && entry.isFile() &&',
        to: 'known !== undefined &&',
        tests: [KNOWN_FILES],
      },
      {
        rule: 'a name that is not UTF-8 does not pass for one that looks the same',
        from: ' && name.bytes === undefined && known.has(name.text)',
        to: ' && known.has(name.text)',
        tests: [KNOWN_FILES],
      },
      {
        rule: 'directories that never come to rest are unseen',
        from: "this.#listing.unseen.add(nameOf(first), 'Changing', message);",
        to: 'void message;',
      },
      {
        rule: 'images at any depth are seen',
        from: 'if (found.depth >= MAX_DEPTH) {',
        to: 'if (found.depth >= 1) return false;\n    if (found.depth >= MAX_DEPTH) {',
      },
      {
        rule: 'a directory that lies too deep is unseen',
        from: "this.#listing.unseen.add(found.path, 'NotEntered', message);",
        to: 'void message;',
      },
      {
        rule: 'a directory that cannot be listed is unseen',
        from: "unseen.addError(nameOf(directory), 'NotEntered', error);",
        to: 'void error;',
      },
      { rule: 'base files are looked at as images', from: "return 'base';", to: "return 'other';" },
      { rule: 'files in the trash are looked at as such', from: "? 'trash' : 'other';", to: "? 'other' : 'other';" },
      {
        rule: 'a file or a link that cannot be looked at is unseen',
        from: "unseen.addError(found.path, 'NotOpened', error);",
        to: 'void error;',
        tests: [OVERLAYS, 'test/contract/scan/overlay-scanner.test.ts', 'test/faults/system-calls.test.ts'],
      },
    ],
  },
  {
    file: 'src/disk/listing-cache.ts',
    tests: ['test/integration/scan/listing-cache.test.ts'],
    mutants: [
      {
        rule: 'names are kept only while the directory has the same ctime',
        from: 'if (known?.ctimeNs === stats.ctimeNs) {',
        to: 'if (known !== undefined) {',
      },
      {
        rule: 'names are not kept where another change could leave the same ctime',
        from: 'ctimeNs + granularityNs(ctimeNs) > BigInt(Math.floor(listedAtMs)) * 1_000_000n',
        to: 'ctimeNs < 0n',
      },
      { rule: 'names are not kept where ctimes are whole seconds', from: 'isCoarse(ctimeNs) || ', to: 'isCoarse(-1n) || ' },
      { rule: 'a listing that failed is not kept', from: '!failed && Array', to: 'Array' },
    ],
  },
  {
    file: 'src/disk/network-filesystem.ts',
    tests: ['test/integration/scan/listing-cache.test.ts'],
    mutants: [
      {
        rule: 'names are kept on known local file systems only',
        from: 'return type !== undefined && tracesNames(type);',
        to: 'return type !== undefined;',
      },
    ],
  },
  {
    file: 'src/overlays/visit.ts',
    tests: [OVERLAYS, OVERLAY_CONTRACT],
    mutants: [
      {
        rule: "a guest's word about a base file counts through a link no more than without",
        from: '{ ...chain, rawBases: [] }',
        to: 'chain',
        tests: [GUEST_BYTES],
      },
      {
        rule: 'names in an image that a link leads to count from the link',
        from: 'chains, { openedAs: own })',
        to: 'chains)',
        tests: [OPENED],
      },
      {
        rule: 'a link to a disk that a source names is followed',
        from: 'isBaseFile || isNamed || (place',
        to: 'isBaseFile || (place',
        tests: [OPENED],
      },
      {
        rule: 'a lock file with bytes is looked at again',
        from: 'if (stats.size === 0n) noteEmpty(listing, found);',
        to: 'noteEmpty(listing, found);',
        tests: [KNOWN_FILES],
      },
      {
        rule: 'an image of any name counts',
        from: "if (header.kind === 'raw' && (!found.name.startsWith('disk') || found.name === DISK_INFO)) return;",
        to: "if (!found.name.startsWith('disk')) return;",
      },
      {
        rule: 'a file that may not be read is unseen, whatever its name',
        from: "unseen.addError(found.path, 'NotOpened', error);",
        to: 'void error;',
      },
      {
        rule: 'a disk that is not understood is unseen',
        from: "  if (state === 'unreadable' && declaredRawBy === undefined)",
        to: 'if (false)',
      },
      {
        rule: 'a base file that is not understood is unseen',
        from: "if (image.state === 'unreadable' && declaredRawBy === undefined)",
        to: 'if (false)',
      },
      {
        rule: 'a link that leads out of the instances path is unseen',
        from: "unseen.add(found.path, 'NotFollowed', message);",
        to: 'void message;',
      },
      {
        rule: 'a name excuses no link',
        from: "  if (place.kind === 'lost') {",
        to: "  if (isWrittenByGuests(found.name) || found.name === 'lost+found') return;\n  if (place.kind === 'lost') {",
      },
      {
        rule: 'no name in the base directory excuses a file that may not be read',
        from: "const isExcused = found.role === 'other' && stats",
        to: 'const isExcused = stats',
        tests: [ORDINARY],
      },
      { rule: 'a link in a circle is unseen', from: "unseen.add(found.path, 'NotFollowed', place.message);", to: '' },
      {
        rule: 'a base file that a link leads to is in use',
        from: 'if (keepsBaseFile(chain, chains) || isUnreadable)',
        to: 'if (isUnreadable)',
      },
      {
        rule: 'a device or a FIFO in the place of a disk is unseen',
        from: "listing.unseen.add(found.path, 'NotAnImageFile', message);",
        to: '',
        tests: [OVERLAYS, 'test/integration/scan/block-device.test.ts'],
      },
    ],
  },
  {
    file: 'src/overlays/declared-formats.ts',
    tests: [OVERLAYS],
    mutants: [
      {
        rule: 'a disk is raw only where all sources say so',
        from: 'this.#shared([...known, format])',
        to: 'this.#shared([format])',
        tests: [STATED],
      },
      {
        rule: 'disk.info is believed where it says raw, and only there',
        from: "if ([...bySource, ...inInfo].some((format) => format !== 'raw')) return undefined;",
        to: '',
      },
      {
        rule: 'disk.info is not believed where it contradicts itself',
        from: "addTo(formats, path.slice(path.lastIndexOf('/') + 1), format)",
        to: "formats.set(path.slice(path.lastIndexOf('/') + 1), new Set([format]))",
        tests: [STATED],
      },
      {
        rule: 'a base file is a guest’s own by the word of no guest',
        from: '(image) => this.rawBy(image) === undefined)',
        to: '() => true)',
        tests: [STATED],
      },
      {
        rule: 'a base file is a guest’s own where a disk says that it is raw',
        from: 'if ([...(this.#rawBaseFiles.get(name) ?? [])].some(',
        to: 'if (([] as string[]).some(',
      },
      {
        rule: 'only a copy that Nova makes for a snapshot is taken for a guest’s own by its place',
        from: '/^snapshots\\/tmp[a-z0-9_]{8}\\/[0-9a-f]{32}$/',
        to: '/^snapshots\\//',
      },
      { rule: 'base files are raw where Nova makes them so', from: 'return this.#forceRawImages &&', to: 'return false &&' },
    ],
  },
  {
    file: 'src/overlays/named-disks.ts',
    tests: [OVERLAYS],
    mutants: [
      {
        rule: 'a disk that is named by a link is followed from there',
        from: 'places.isWhereNamed(path) && ',
        to: '',
        tests: [OPENED],
      },
      {
        rule: 'a disk of another host is no file of this one',
        from: "if (place.kind === 'outside' && isElsewhere)",
        to: "if (place.kind === 'outside' && isElsewhere && false)",
        tests: ['test/integration/scan/other-hosts.test.ts'],
      },
      {
        rule: 'a disk that a source names and that is not there is unseen',
        from: 'if (problem !== undefined) unseen.add(known, problem.cause, problem.message);',
        to: 'if (problem !== undefined) return;',
      },
      {
        rule: 'a disk elsewhere that is not understood is unseen',
        from: "else if (chain.state === 'unreadable' && !isRaw && disk.isLoaded !== true)",
        to: "else if (place.kind === 'inside' && chain.state === 'unreadable' && !isRaw)",
      },
      {
        rule: 'a disk of the instances path is not understood where any place that names it does not',
        from: "else if (chain.state === 'unreadable' && !isRaw && disk.isLoaded !== true)",
        to: "else if (place.kind === 'outside' && chain.state === 'unreadable' && !isRaw)",
        tests: [STATED],
      },
      {
        rule: 'what a domain reads below a disk of the instances path is kept',
        from: 'if (walked === undefined) return true;',
        to: 'return walked === undefined;',
        tests: [STATED],
      },
      {
        rule: 'a loop device that a source names as a raw disk is unseen',
        from: "(format !== 'raw' || stats.isBlockDevice())",
        to: "format !== 'raw'",
        tests: ['test/integration/scan/block-device.test.ts'],
      },
      {
        rule: 'a disk of a source that is not a regular file is unseen',
        from: "if (type !== 'absent') return { cause: 'NotAnImageFile'",
        to: "if (type !== 'absent') return undefined;\n  if (false) return { cause: 'NotAnImageFile'",
      },
      {
        rule: 'a disk of a source whose place cannot be found is unseen',
        from: "if (place.kind === 'lost') return { cause: 'NotFollowed', message: place.message };",
        to: "if (place.kind === 'lost') return undefined;",
      },
      {
        rule: 'only firmware and kernels need not be seen',
        from: 'if (isLoaded) return undefined;',
        to: 'if (!isLoaded) return undefined;',
      },
      {
        rule: 'what a disk elsewhere stands on is kept',
        from: 'keepNamed(listing, overlays, { key, path: known, found: overlay });',
        to: 'void overlay;',
      },
    ],
  },
  {
    file: 'src/overlays/overlay-scanner.ts',
    tests: [OVERLAYS],
    mutants: [
      {
        rule: 'what base files are backed by is seen with overlays: nova as well',
        from: "if (options.preset !== 'nova') await",
        to: 'if (false) await',
        tests: ['test/integration/scan/nova.test.ts'],
      },
      { rule: 'what is ignored is taken out of the unseen, and nothing else', from: "isIgnored(path) ? 'true' : 'false'", to: "'true'" },
    ],
  },
  {
    file: 'src/overlays/not-images.ts',
    tests: [ORDINARY],
    mutants: [
      {
        rule: 'only in files that guests write, bytes that are not understood hold nothing',
        from: 'GUESTS_WRITE.some(({ pattern }) => pattern.test(name))',
        to: 'true',
        tests: [OVERLAYS],
      },
      {
        rule: 'only files of a short list of names need not be read',
        from: 'ROOT_KEEPS.some(({ pattern }) => pattern.test(name))',
        to: 'true',
      },
      {
        rule: 'a file with a second name is never excused',
        from: 'stats.nlink !== 1n || ',
        to: '',
      },
      {
        rule: 'a file or a directory that others than root can reach is never excused',
        from: 'return uid === ROOT && (mode & CLOSED_TO_OTHERS) === 0n;',
        to: 'return true;',
      },
      {
        rule: 'lost+found is excused at the root of a file system alone',
        from: "return mount?.root === '/';",
        to: 'return true;',
      },
      {
        rule: 'lost+found is not excused where it is a mount of its own',
        from: '  if (stats.dev !== parentDevice) return false;\n',
        to: '',
      },
      {
        rule: 'past states are not entered only where they cannot change',
        from: "options.split(',').includes('ro') === true",
        to: "options.split(',').includes('ro') !== undefined",
      },
    ],
  },
  {
    file: 'src/overlays/base-file-index.ts',
    tests: [OVERLAYS],
    mutants: [
      {
        rule: 'a base file is known by another of its names',
        from: 'return byInode.get(`${stats.dev} ${stats.ino}`);',
        to: 'return undefined;',
      },
    ],
  },
  {
    file: 'src/images/formats/qcow.ts',
    tests: [REAL_FORMATS, OVERLAYS],
    mutants: [
      { rule: 'the parent of a QCOW image is followed', from: 'if (offset === 0n || length === 0) return', to: 'if (true) return' },
    ],
  },
  {
    file: 'src/images/formats/qed.ts',
    tests: [FORMATS, OVERLAYS],
    mutants: [
      {
        rule: 'the parent of a QED image is followed',
        from: 'if ((features & HAS_BACKING_FILE) === 0n) return { ...image, ...unclear };',
        to: 'if (true) return { ...image, ...unclear };',
      },
      { rule: 'unknown features of QED may mean anything', from: '(features & ~KNOWN_FEATURES) === 0n', to: 'true' },
    ],
  },
  {
    file: 'src/images/formats/vhdx.ts',
    tests: [FORMATS],
    mutants: [{ rule: 'a VHDX with a parent may stand on anything', from: '(parameters.readUInt32LE(4) & HAS_PARENT) === 0', to: 'true' }],
  },
  {
    file: 'src/images/formats/unread.ts',
    tests: [FORMATS],
    mutants: [
      {
        rule: 'a format whose parent is not read may stand on anything',
        from: ', unclear: `${name} images may have a parent, which is not read`',
        to: '',
      },
    ],
  },
  {
    file: 'src/overlays/places.ts',
    tests: [OVERLAYS],
    mutants: [
      {
        rule: 'a name that leads through /proc is not followed',
        from: 'if (next === PROC && !this.#isBelowProc)',
        to: 'if (false)',
        tests: [OPENED],
      },
      { rule: 'links on the way to a backing file are resolved', from: 'if (target === undefined) {', to: 'if (true) {' },
      { rule: 'links in a circle lead nowhere', from: 'if (links > MAX_LINKS) return', to: 'if (links > 9e9) return', tests: [OVERLAYS] },
    ],
  },
  {
    file: 'src/images/reader.ts',
    tests: [OVERLAYS, SYSTEM_CALLS, HOSTILE],
    mutants: [
      {
        rule: 'opening a disk follows no symlink and waits for nobody',
        from: 'const OPEN_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;',
        to: 'const OPEN_FILE = O_RDONLY;',
        tests: [SYSTEM_CALLS],
      },
      {
        rule: 'a backing file that cannot be looked at is unreadable, not absent',
        from: "return { kind: 'unreadable', message: messageOf(error) };",
        to: "return { kind: 'absent' };",
      },
    ],
  },
  {
    file: 'src/images/header-cache.ts',
    tests: ['test/unit/images/header-cache.test.ts'],
    mutants: [
      {
        rule: 'a header is read again when its file has changed',
        from: ' || entry.mtimeNs !== stats.mtimeNs || entry.ctimeNs !== stats.ctimeNs',
        to: '',
      },
      {
        rule: 'a file that has changed is not known to be raw',
        from: 'if (entry.mtimeNs !== stats.mtimeNs || entry.ctimeNs !== stats.ctimeNs) return false;',
        to: '',
      },
      {
        rule: 'a file that holds an image format is not known to be raw',
        from: "if (entry?.header.kind !== 'raw' || entry.size !== stats.size) return false;",
        to: 'if (entry?.size !== stats.size) return false;',
        tests: ['test/integration/known-raw.test.ts'],
      },
      {
        rule: 'a header that was read within the granularity of a change is not kept',
        from: 'if (stats.ctimeNs + granularityNs(stats.ctimeNs) > BigInt(Math.floor(readAtMs)) * 1_000_000n) return;',
        to: '',
      },
    ],
  },
  {
    file: 'src/disk/times.ts',
    tests: ['test/unit/images/header-cache.test.ts'],
    mutants: [
      {
        rule: 'stamps of whole seconds are not trusted for two of them',
        from: 'isCoarse(stampNs) ? 2n * SECOND_NS : TICK_NS',
        to: 'TICK_NS',
      },
    ],
  },
  {
    file: 'src/images/formats/formats.ts',
    tests: [FORMATS, REAL_FORMATS],
    mutants: [
      {
        rule: 'every format that can name another file is read',
        from: '[qcow2, qcow, qed, vmdk, vhdx, vpc, vdi, parallels, bochs]',
        to: '[qcow2]',
      },
    ],
  },
  {
    file: 'src/images/formats/vmdk.ts',
    tests: [FORMATS, REAL_FORMATS],
    mutants: [
      { rule: 'a VMDK with a parent says so', from: '=== NO_PARENT) return {};', to: '!== undefined) return {};' },
      {
        rule: 'the parent that a VMDK names counts, whatever number it gives',
        from: "if (parent !== undefined && parent !== '') return",
        to: "if (parent !== undefined && parent !== '' && !text.includes(NO_PARENT)) return",
        tests: [VMDK],
      },
      {
        rule: 'the parent of a VMDK is read where QEMU reads it, whatever the header says of its descriptor',
        from: 'if (backingFile === undefined || backingFile.text === image.backingFile?.text) return image;',
        to: 'if (true) return image;',
        tests: [VMDK],
      },
      {
        rule: 'a VMDK with two parents is not understood',
        from: 'const doubt = image.backingFile === undefined ? {} :',
        to: 'const doubt = true ? {} :',
        tests: [VMDK],
      },
      {
        rule: 'only a descriptor that is empty makes an extent of a VMDK',
        from: 'if (virtualSizeBytes > 0 && bytes[0] === 0) return',
        to: 'if (virtualSizeBytes > 0) return',
        tests: [REAL_FORMATS, VMDK],
      },
      {
        rule: 'a VMDK of more extents than are read is not understood',
        from: 'extents.length > MAX_EXTENTS ? {',
        to: 'false ? {',
        tests: [VMDK],
      },
      { rule: 'the extents of a VMDK descriptor protect', from: 'const extents = named', to: 'const extents = false' },
      {
        rule: 'an extent of a VMDK is read as QEMU reads it, whatever blanks and signs it has',
        from: '/^[^"=]*"([^"]+)/',
        to: '/^(?:RW|RDONLY|NOACCESS)\\s+[0-9]+\\s+[A-Z]+\\s+"([^"]+)/',
        tests: [VMDK],
      },
      {
        rule: 'a VMDK descriptor that is not read to its end is not understood',
        from: 'if (text.length >= MAX_READ_BYTES) return',
        to: 'if (text.length > MAX_READ_BYTES) return',
        tests: [VMDK],
      },
      {
        rule: 'the extents of a sparse VMDK without sectors are files',
        from: 'parseDescriptor(bytes, virtualSizeBytes === 0)',
        to: 'parseDescriptor(bytes, false)',
        tests: [VMDK],
      },
    ],
  },
  {
    file: 'src/overlays/contradiction.ts',
    tests: [VMDK],
    mutants: [
      {
        rule: 'a file that is named as VMDK, and is not read as one, is not understood',
        from: "if (found.kind === 'raw') return 'it",
        to: "if (found.kind === 'raw') return undefined;\n  if (found.kind !== 'image') return 'it",
      },
      {
        rule: 'a file that is named as VMDK, and announces another format by text, is not understood',
        from: "if (found.format === 'vmdk' || BINARY.has(found.format)) return undefined;",
        to: 'if (true) return undefined;',
        tests: [CHAIN],
      },
    ],
  },
  {
    file: 'src/images/formats/vpc.ts',
    tests: [FORMATS],
    mutants: [{ rule: 'a differencing VHD may stand on anything', from: 'type === FIXED || type === DYNAMIC', to: 'true' }],
  },
  {
    file: 'src/images/formats/vdi.ts',
    tests: [FORMATS],
    mutants: [{ rule: 'a differencing VDI may stand on anything', from: 'if (PARENTLESS_TYPES.has(type) && !isLinked)', to: 'if (true)' }],
  },
  {
    file: 'src/images/formats/qcow2.ts',
    tests: [FORMATS],
    mutants: [
      { rule: 'unknown features of qcow2 may mean anything', from: 'if (unknownFeatures !== 0n)', to: 'if (false)' },
      {
        rule: 'an external data file protects',
        from: "...(features.includes('externalDataFile') && dataFile !== undefined ? { dataFiles: [dataFile] } : {}),",
        to: '',
        tests: [CHAIN],
      },
    ],
  },
  {
    file: 'src/overlays/name-budget.ts',
    tests: [GUEST_BYTES],
    mutants: [
      { rule: 'names: there is room for some', from: 'if (bytes > this.#maximumBytes) {', to: 'if (false) {' },
      {
        rule: 'names: an image for whose names there was no room holds',
        from: "  kept.delete(key);\n  unseen.add(path, 'NotUnderstood', TOO_MANY_NAMES);",
        to: '  kept.delete(key);',
      },
    ],
  },
  {
    file: 'src/overlays/chain.ts',
    tests: [CHAIN, OVERLAY_CONTRACT],
    mutants: [
      {
        rule: 'names in an image count from the name by which it is opened',
        from: 'step.directory ?? directoryNameOf(step.written)',
        to: 'this.#context.directoryOf(path)',
        tests: [OPENED],
      },
      {
        rule: 'a relative data file of qcow2 is not looked for beside the image',
        from: '{ ...image, directory: undefined }',
        to: 'image',
        tests: [OPENED],
      },
      {
        rule: 'chains: a header that cannot be parsed is unreadable',
        from: "if (header.kind === 'invalid') return",
        to: "if (header.kind === 'invalid' && false) return",
      },
      {
        rule: 'chains: a header that leaves something open is unreadable',
        from: "header.kind === 'image' ? header.unclear : undefined",
        to: 'undefined',
      },
      {
        rule: 'chains: one that is longer than any is unreadable',
        from: "this.#report('unreadable', path, `the backing chain is longer",
        to: 'void (`the backing chain is longer',
      },
      {
        rule: 'chains: one that returns to itself is unreadable',
        from: "return this.#report('unreadable', from, `the backing chain returns",
        to: 'return void (`the backing chain returns',
      },
      {
        rule: 'chains: one that leads out is unreadable where no base file has that name, whatever its format',
        from: 'if (alias === undefined)',
        to: 'if (alias === undefined && !isRaw)',
      },
      {
        rule: 'chains: a file of another directory is not taken for the base file of its name',
        from: 'if (alias !== undefined && looksMounted && !isRaw && step.isThere !== true)',
        to: 'if (alias !== undefined && !isRaw)',
      },
      {
        rule: 'chains: a file of the host is not taken for the base file of its name',
        from: '!isRaw && step.isThere !== true)',
        to: '!isRaw)',
        tests: ['test/integration/scan/overlays.test.ts'],
      },
      {
        rule: 'chains: a header names no file outside that is opened',
        from: 'const isOpened = place.seen && (',
        to: 'const isOpened = place.seen || (',
        tests: [SYSTEM_CALLS],
      },
      {
        rule: 'chains: the last component of a reference is protected as it was resolved',
        from: 'const protects = [...new Set(paths.map((path) => posix.basename(path)))];',
        to: 'const protects = [posix.basename(reference)];',
      },
      {
        rule: 'chains: a backing file that cannot be read is unreadable',
        from: "if (found.kind === 'irregular' || found.kind === 'unreadable')\n      return",
        to: "if (found.kind === 'irregular' || found.kind === 'unreadable') return undefined;\n    if (false)\n      return",
      },
      {
        rule: 'chains: a backing format that is not read is unreadable',
        from: 'if (!PARENTLESS_FORMATS.has(format))',
        to: 'if (false)',
      },
      {
        rule: 'chains: the graver problem names the state',
        from: 'GRAVITY[this.#problem.state] >= GRAVITY[state]',
        to: 'GRAVITY[this.#problem.state] >= 0',
      },
      {
        rule: 'chains: a backing file of undeclared format is looked into',
        from: 'if (format === undefined || isReadFormat(format)) {',
        to: 'if (format === undefined) return undefined;\n    if (isReadFormat(format)) {',
      },
      {
        rule: 'chains: what the bytes of a raw file outside name is kept',
        from: 'if (posix.isAbsolute(path)) this.#keepWhatBytesName(path, directory);',
        to: '',
      },
      {
        rule: 'chains: the bytes of a raw file outside open nothing further outside',
        from: 'new ChainWalk(path, this.#context, false, this.#visited)',
        to: 'new ChainWalk(path, this.#context, true, this.#visited)',
      },
      {
        rule: 'chains: a remote image whose header is not read is unreadable',
        from: "if (format !== undefined && PARENTLESS_FORMATS.has(format)) return this.#report('unknown-backing', from, target.message);",
        to: "if (true) return this.#report('unknown-backing', from, target.message);",
      },
    ],
  },
  {
    file: 'src/overlays/mounted-files.ts',
    tests: ['test/integration/layers.test.ts'],
    mutants: [
      {
        rule: 'a base file that is mounted under another name is unseen',
        from: "unseen.add(path, 'NotFollowed', message);",
        to: 'void [path, message];',
      },
      {
        rule: 'an overlayfs below the instances path is unseen',
        from: "(type !== 'overlay' && !isLoop)",
        to: '!isLoop',
      },
      {
        rule: 'a file system of a loop device below the instances path is unseen',
        from: "const isLoop = source.startsWith('/dev/loop');",
        to: 'const isLoop = false;',
      },
    ],
  },
  {
    file: 'src/overlays/backing-reference.ts',
    tests: ['test/unit/overlays/backing-reference.test.ts'],
    mutants: [
      {
        rule: 'references: a protocol that is not understood may mean any file',
        from: 'return unclear(`${quote(reference)} is not understood`',
        to: "return { kind: 'remote', message: 'x' };\n  return unclear(`${quote(reference)} is not understood`",
      },
      {
        rule: 'references: a relative name in json: or after file: may mean any file',
        from: 'return posix.isAbsolute(path)',
        to: 'return true',
      },
      {
        rule: 'references: a json: key that is not understood may add another file',
        from: 'if (strange !== undefined) return unclear(',
        to: 'if (false) return unclear(',
      },
      {
        rule: 'references: a header within the data of another format is not read',
        from: 'if (isNested(format, layer, depth)) return',
        to: 'if (false) return',
      },
      {
        rule: 'references: a server on a socket of this host may read any file',
        from: "if (driver === 'nbd' && isLocalServer(node)) return",
        to: 'if (false) return',
      },
      {
        rule: 'references: what an unclear json: reference mentions is kept',
        from: "return target.kind === 'unclear' ? {",
        to: 'return false ? {',
      },
    ],
  },
];
