import type { MutantsOf } from './mutant.ts';

const ENTRANCES = 'test/unit/references/entrances.test.ts';
const SURROUNDINGS = 'test/integration/surroundings/surroundings.test.ts';

/** What is written down is understood in one way at every entrance, and no pattern takes for ever. */
export const INPUTS: readonly MutantsOf[] = [
  {
    file: 'src/lib/image-reference.ts',
    tests: [ENTRANCES, 'test/unit/lib/image-reference.test.ts'],
    mutants: [
      { rule: 'image references: blanks around one do not count', from: ', trimmed, ...reference.split(/[\\s\\p{C}]+/u)]', to: ']' },
      {
        rule: 'image references: one with blanks counts as it is written as well',
        from: '[reference, trimmed',
        to: '[trimmed',
      },
      { rule: 'image references: each part between blanks counts', from: ', ...reference.split(/[\\s\\p{C}]+/u)', to: '' },
      {
        rule: 'image references: characters that nobody sees do not count',
        from: 'return !/[\\s\\p{C}]/u.test',
        to: 'return !/\\s/u.test',
      },
      { rule: 'lists: blanks around separators do not count', from: '.map((part) => part.trim())', to: '' },
    ],
  },
  {
    file: 'src/disk/raw-name.ts',
    tests: ['test/unit/disk/raw-name.test.ts'],
    mutants: [
      {
        rule: 'names that differ only in bytes that are not UTF-8 are told apart',
        from: 'text: withSurrogates(bytes), bytes',
        to: 'text, bytes',
      },
    ],
  },
  {
    file: 'src/disk/mount-table.ts',
    tests: ['test/unit/disk/mount-table.test.ts'],
    mutants: [
      { rule: 'mounts: the uppermost of several counts', from: 'const top = here.at(-1);', to: 'const top = here.at(0);' },
      { rule: 'mounts: one over a mount of the host is the same', from: 'isSame(top, beneath);', to: 'true;' },
      { rule: 'mounts: a directory of another name is a stranger', from: '&& one.root === other.root', to: '' },
      { rule: 'mounts: a directory of another file system is a stranger', from: 'one.device === other?.device', to: 'other !== undefined' },
    ],
  },
  {
    file: 'src/surroundings/directories.ts',
    tests: [SURROUNDINGS],
    mutants: [
      { rule: 'mounts: the lock directory is looked at', from: '[basePath, join(instancesPath, LOCKS)]', to: '[basePath]' },
      {
        rule: 'mounts: the base directory is looked at',
        from: '[basePath, join(instancesPath, LOCKS)]',
        to: '[join(instancesPath, LOCKS)]',
      },
      {
        rule: 'locks: what is written beside them is not given to a directory that is mounted over them',
        from: '...mountedAt([join(paths.instancesPath, LOCKS)]),',
        to: '',
      },
      { rule: "locks: locksPath is Nova's own lock directory", from: '...strangeLocks(instancesPath, locksPath)', to: '' },
    ],
  },
  {
    file: 'src/surroundings/alone.ts',
    tests: [SURROUNDINGS],
    mutants: [
      { rule: 'alone: another host in compute_nodes is a sign', from: '...registeredOthers(parts), ', to: '' },
      {
        rule: 'alone: a registry that is not understood is a sign',
        from: 'if (hosts === undefined) return [',
        to: 'if (hosts === undefined) return [].slice() ?? [',
      },
    ],
  },
  {
    file: 'src/shared-storage/registry.ts',
    tests: [SURROUNDINGS],
    mutants: [{ rule: 'locks: no registration is written into a stranger', from: 'return stranger ?? (await', to: 'return (await' }],
  },
  {
    file: 'src/wire/shared-storage.ts',
    tests: [SURROUNDINGS],
    mutants: [
      {
        rule: 'locks: no report is written into a stranger',
        from: 'if (stranger !== undefined) throw',
        to: 'if (stranger === null) throw',
      },
    ],
  },
  {
    file: 'src/disk/network-filesystem.ts',
    tests: [SURROUNDINGS],
    mutants: [{ rule: 'alone: a shared file system is a sign', from: '[0x6969, ', to: '[0x6968, ' }],
  },
  {
    file: 'src/surroundings/file-clock.ts',
    tests: ['test/integration/surroundings/file-clock.test.ts'],
    mutants: [
      { rule: 'clock: one that is not the file system’s is a problem', from: 'Math.abs(aheadMs) <= TOLERANCE_MS', to: 'true' },
      { rule: 'clock: one that is behind the file system’s is a problem as well', from: 'Math.abs(aheadMs) <=', to: 'aheadMs <=' },
    ],
  },
  {
    file: 'src/surroundings/server-clock.ts',
    tests: ['test/unit/surroundings/server-clock.test.ts'],
    mutants: [
      { rule: 'clock: a large skew is a problem', from: 'Math.abs(skewMs) <= SERVER_CLOCK_TOLERANCE_MS', to: 'true' },
      { rule: 'clock: one that is behind is a problem as well', from: 'Math.abs(skewMs) <=', to: 'skewMs <=' },
    ],
  },
  {
    file: 'src/pass/pass.ts',
    tests: ['test/unit/pass/pass.test.ts'],
    mutants: [
      {
        rule: 'surroundings: they are looked at in each pass',
        from: 'overlays, surroundings: parts.surroundings?.inspect({ mayWrite: !options.dryRun }) }',
        to: 'overlays }',
      },
      {
        rule: 'surroundings: they are looked at before each removal',
        from: 'const surroundings = parts.surroundings?.inspect();',
        to: 'const surroundings = undefined;',
      },
    ],
  },
  {
    file: 'src/sources/file/trust.ts',
    tests: ['test/integration/sources/file.test.ts'],
    mutants: [
      { rule: 'workloads file: one that says it is not whole is a gap', from: 'if (complete === false)', to: 'if (complete === null)' },
      {
        rule: 'workloads file: one that was cut off is a gap where it must say that it is whole',
        from: 'complete === undefined && required',
        to: 'false',
      },
      { rule: 'workloads file: an old one is a gap', from: 'if (ageMs <= maximumAgeSeconds * 1000)', to: 'if (ageMs > -1e15)' },
      { rule: 'workloads file: one of tomorrow is a gap', from: 'ageMs < -CLOCK_TOLERANCE_MS', to: 'ageMs < -1e15' },
      {
        rule: 'workloads file: it must say its age where that is required',
        from: "return required ? ['it lacks",
        to: "return required && false ? ['it lacks",
      },
    ],
  },
  {
    file: 'src/sources/file/source.ts',
    tests: ['test/integration/sources/file.test.ts'],
    mutants: [
      {
        rule: 'workloads file: doubts about it are gaps',
        from: 'doubtsOf(parsed, trust, startedAtMs).map',
        to: 'doubtsOf(parsed, trust, startedAtMs).slice(0, 0).map',
      },
    ],
  },
  {
    file: 'src/sources/libvirt/source.ts',
    tests: ['test/integration/sources/libvirt.test.ts'],
    mutants: [
      {
        rule: 'libvirt: definitions that are not there fail the source',
        from: 'if (listings[1] === undefined) {',
        to: 'if (listings.length === 0) {',
      },
    ],
  },
  {
    file: 'src/shared-storage/registry.ts',
    tests: ['test/integration/dry-run.test.ts'],
    mutants: [{ rule: 'dry run: reading the registry makes no lock', from: 'existsSync(this.#lockPath) ?', to: 'this.#lockPath ?' }],
  },
  {
    file: 'src/plan/pins.ts',
    tests: [ENTRANCES],
    mutants: [
      { rule: 'pins: one with blanks keeps every reading', from: 'readingsOf(ref).map(', to: '[ref].map(' },
      { rule: 'pins: a glob that is not understood keeps every file', from: 'matches: () => true', to: 'matches: () => false' },
    ],
  },
  {
    file: 'src/lib/patterns/file-glob.ts',
    tests: ['test/unit/lib/patterns/file-glob.test.ts'],
    mutants: [
      { rule: 'globs: a long one is refused', from: 'glob.length > MAX_GLOB_LENGTH', to: 'false' },
      { rule: 'globs: one with "/" is refused, as it matches no file name', from: "glob.includes('/')", to: 'false' },
      { rule: 'globs: "!" turns the whole glob round', from: '!== negated', to: '!== false' },
    ],
  },
];
