import type { MutantsOf } from './mutant.ts';

const BASE = 'test/integration/scan/base-dir.test.ts';
const BASE_CONTRACT = 'test/contract/scan/base-scanner.test.ts';
const OVERLAYS = 'test/integration/scan/overlays.test.ts';
const OVERLAY_CONTRACT = 'test/contract/scan/overlay-scanner.test.ts';
const SYSTEM_CALLS = 'test/integration/scan/system-calls.test.ts';
const CHAIN = 'test/unit/overlays/chain.test.ts';
const HOSTILE = 'test/hostile/disks.test.ts';

/** What the gate and the rules rely on: that whatever cannot be read on disk is told, and that nothing is followed. */
export const DISK: readonly MutantsOf[] = [
  {
    file: 'src/scan/classify.ts',
    tests: ['test/unit/scan/classify.test.ts'],
    mutants: [
      { rule: 'names: an image file begins with a lower-case SHA-1', from: '/^[0-9a-f]{40}(?:_', to: '/^.{40}(?:_' },
      { rule: 'names: a size is a number', from: '(?:sm|[0-9]+))?$/', to: '(?:sm|.+))?$/' },
      { rule: 'names: a swap file is swap_<number>', from: '/^swap_[0-9]+$/', to: '/^swap_/' },
      { rule: 'names: an ephemeral file is ephemeral_<number>_<7 hex>', from: '/^ephemeral_[0-9]+_[0-9a-f]{7}$/', to: '/^ephemeral_/' },
      { rule: 'names: a download in progress is known by its name', from: '\\.(?:part|converted)$/', to: '\\.(?:converted)$/' },
    ],
  },
  {
    file: 'src/scan/base-scanner.ts',
    tests: [BASE, BASE_CONTRACT],
    mutants: [
      {
        rule: 'the newest file is told, which may be from the future',
        from: 'if (modifiedAtMs > this.#newestModifiedAtMs)',
        to: 'if (false)',
      },
      {
        rule: 'only regular files are base files',
        from: 'if (stats.isFile()) this.#add(name, stats);',
        to: 'if (stats !== undefined) this.#add(name, stats);',
      },
      { rule: 'a base directory that is a symlink or no directory is a problem', from: 'if (!base.isDirectory()) {', to: 'if (false) {' },
      {
        rule: 'an instances path that is missing is not an empty cache',
        from: 'statSync(instancesPath, { bigint: true });',
        to: 'statSync(instancesPath, { bigint: true, throwIfNoEntry: false }) ?? { dev: 0n };',
      },
      {
        rule: 'a base directory that cannot be listed is a problem',
        from: 'this.#problems.addError(this.#options.subdirectoryName, error);',
        to: 'void error;',
      },
      {
        rule: 'a base file that cannot be looked at is a problem',
        from: 'this.#problems.addError(`${this.#options.subdirectoryName}/${name.text}`, error);',
        to: 'void error;',
      },
      {
        rule: 'a name that is not text is foreign',
        from: 'name.bytes === undefined ? classify',
        to: 'true ? classify',
      },
      {
        rule: 'the newest download of an image counts',
        from: 'Math.max(newest, modifiedAtMs)',
        to: 'modifiedAtMs',
        tests: ['test/contract/scan/base-scanner.test.ts'],
      },
    ],
  },
  {
    file: 'src/overlays/overlay-scanner.ts',
    tests: ['test/races/renames.test.ts'],
    mutants: [
      {
        rule: 'directories that change while they are read are read again',
        from: 'if (changed === undefined) return listing;',
        to: 'return listing;',
      },
      {
        rule: 'directories that never come to rest are a problem',
        from: "listing.problems.add({ path, code: 'EAGAIN'",
        to: "void ({ path, code: 'EAGAIN'",
      },
    ],
  },
  {
    file: 'src/overlays/every-disk.ts',
    tests: [OVERLAYS, OVERLAY_CONTRACT],
    mutants: [
      {
        rule: 'directories that no workload explains count as well',
        from: 'if (!skipped.has(name.text)) await',
        to: 'if (!skipped.has(name.text) && listing.instanceNames.has(name.text)) await',
      },
      {
        rule: 'a link in the place of an instance directory is a problem',
        from: "problems.add({ path: name, code: 'ELOOP', message });",
        to: 'void message;',
      },
      { rule: 'an instances path that cannot be listed is a problem', from: "(error) => problems.addError('.', error)", to: '() => {}' },
      {
        rule: 'an instance directory that cannot be listed is a problem',
        from: "if (errnoOf(error) !== 'ENOENT') listing.problems.addError(instance, error);",
        to: '',
      },
      { rule: 'a disk that is a symlink is unreadable', from: "if (type === 'link') unreadable(", to: "if (type === 'link') void (" },
      {
        rule: 'a disk that is a block device is unreadable, and not opened',
        from: "if (type === 'block device') unreadable(",
        to: "if (type === 'block device') void (",
        tests: ['test/integration/scan/block-device.test.ts'],
      },
      {
        rule: 'a disk that may not be read is unreadable',
        from: "if (isDisk && code !== 'ENOENT') unreadable(ownMessageOf(error));",
        to: 'if (isDisk) return;',
      },
      { rule: 'an image under another name counts as well', from: "(header.kind === 'raw' && !isDisk)", to: '!isDisk' },
      {
        rule: 'what is not a regular file is not opened',
        from: "if (type !== 'file') return;\n    const stats = lstatSync(path, { bigint: true });\n    if (!stats.isFile()) return;",
        to: 'const stats = lstatSync(path, { bigint: true });',
        tests: [HOSTILE, SYSTEM_CALLS],
      },
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
        rule: 'a directory of a chain that is a symlink is not followed',
        from: 'O_RDONLY | O_NOFOLLOW | O_DIRECTORY',
        to: 'O_RDONLY | O_DIRECTORY',
        tests: [OVERLAYS],
      },
      { rule: 'a backing file that is a symlink is not followed', from: 'if (stats.isSymbolicLink()) return', to: 'if (false) return' },
      {
        rule: 'a backing file that cannot be looked at is unreadable, not absent',
        from: "return { kind: 'unreadable', message: messageOf(error) };",
        to: "return { kind: 'absent' };",
      },
      {
        rule: 'a backing file behind a symlink or a file is not absent',
        from: "    case 'ENOTDIR':\n    case 'ELOOP':\n",
        to: "    case 'ENOTDIR':\n    case 'ELOOP':\n      return { kind: 'absent' };\n",
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
        rule: 'a header that was read in the tick of a change is not kept',
        from: 'if (stats.ctimeNs + TICK_NS > BigInt(Math.floor(readAtMs)) * 1_000_000n) return;',
        to: '',
      },
    ],
  },
  {
    file: 'src/overlays/chain.ts',
    tests: [CHAIN, OVERLAY_CONTRACT],
    mutants: [
      {
        rule: 'chains: a header that cannot be parsed is unreadable',
        from: "if (header.kind === 'invalid') return { state: 'unreadable', message: header.message };",
        to: "if (header.kind === 'invalid') return undefined;",
      },
      {
        rule: 'chains: a format that may have a parent is unreadable',
        from: "if (header.kind === 'other') return {",
        to: "if (header.kind === 'other') return undefined;\n  if (header.kind === 'other') return {",
      },
      {
        rule: 'chains: unknown features make a header unreadable',
        from: "header.kind === 'raw' || header.unknownFeatures === 0n",
        to: "header.kind !== 'other'",
      },
      { rule: 'chains: an external data file protects', from: "if (header.features.includes('externalDataFile'))", to: 'if (false)' },
      {
        rule: 'chains: a data file that is not named is unreadable',
        from: "if (name === undefined) this.#report('unreadable', from, 'the external",
        to: "if (name === undefined) void (from, 'the external",
      },
      {
        rule: 'chains: one that is longer than any is unreadable',
        from: "this.#report('unreadable', path, `the backing chain is longer",
        to: 'void (`the backing chain is longer',
      },
      {
        rule: 'chains: one that returns to itself is unreadable',
        from: "this.#report('unreadable', from, `the backing chain returns",
        to: 'void (`the backing chain returns',
      },
      {
        rule: 'chains: one that may go on elsewhere is unreadable',
        from: "if (ends) this.#report('unknown-backing', from, target.message);",
        to: "if (true) this.#report('unknown-backing', from, target.message);",
      },
      {
        rule: 'chains: a backing file that cannot be read is unreadable',
        from: "else if (found.kind === 'unreadable') this.#report('unreadable', path, found.message);",
        to: '',
        tests: [OVERLAYS, CHAIN],
      },
      {
        rule: 'chains: a backing file that is not a regular file is unreadable',
        from: "else if (found.kind === 'irregular') this.#report('unreadable', path, found.message);",
        to: '',
      },
      {
        rule: 'chains: a backing format that is not read is unreadable',
        from: "else if (!RAW_FORMATS.has(format)) this.#report('unreadable'",
        to: "else if (false) this.#report('unreadable'",
      },
      {
        rule: 'chains: the graver problem names the state',
        from: 'GRAVITY[this.#problem.state] >= GRAVITY[state]',
        to: 'GRAVITY[this.#problem.state] >= 0',
      },
      {
        rule: 'chains: a backing file of undeclared format is looked into',
        from: "else if (format === undefined || format === 'qcow2') return { path, header: found };",
        to: "else if (format === 'qcow2') return { path, header: found };",
      },
    ],
  },
  {
    file: 'src/overlays/backing-reference.ts',
    tests: ['test/unit/overlays/backing-reference.test.ts'],
    mutants: [
      {
        rule: 'references: a protocol that is not understood may mean any file',
        from: 'return REMOTE.test(reference) ?',
        to: 'return REMOTE.test(reference) || true ?',
      },
      {
        rule: 'references: a relative name in json: or after file: may mean any file',
        from: 'if (!posix.isAbsolute(path)) return unclear(',
        to: 'if (false) return unclear(',
      },
      {
        rule: 'references: a json: key that is not understood may add another file',
        from: "if (typeof value !== 'string' || (name !== 'driver' && name !== 'filename')) {",
        to: 'if (false) {',
      },
      {
        rule: 'references: a driver that is not understood may lead anywhere',
        from: 'if (strange !== undefined) return unclear(',
        to: 'if (false) return unclear(',
      },
      {
        rule: 'references: a path inside cannot climb out',
        from: "const path = posix.normalize(absolute).replace(/(?<=.)\\/$/s, '');",
        to: 'const path = absolute;',
      },
    ],
  },
];
