import type { MutantsOf } from './mutant.ts';

const BASE = 'test/integration/scan/base-dir.test.ts';
const BASE_CONTRACT = 'test/contract/scan/base-scanner.test.ts';

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
];
