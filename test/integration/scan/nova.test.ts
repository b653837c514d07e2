import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { array, assert, constantFrom, integer, property } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBaseScanner } from '../../../src/scan/base-scanner.ts';
import { createOverlayScanner } from '../../../src/overlays/overlay-scanner.ts';
import { qemuImg } from '../../helpers/qemu-img.ts';
import { buildTree, type Tree, type TreeSpec } from '../../helpers/tree.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';

interface NovaAnswer {
  readonly kinds: Readonly<Record<string, string>>;
  readonly usage: number;
  readonly backing?: readonly string[];
  readonly error?: string;
}

function askNova({ instancesPath }: Tree, instanceNames: readonly string[] = []): NovaAnswer {
  const input = JSON.stringify({ instancesPath, instanceNames });
  return JSON.parse(
    execFileSync('/usr/bin/python3', ['test/helpers/nova-scan.py'], { input, encoding: 'utf8', stdio: 'pipe' }),
  ) as NovaAnswer;
}

/** Names that are nearly right: what Nova writes, cut, stretched and mixed with digits of other scripts. */
function generateNames(): string[] {
  const prefix = constantFrom('swap', 'ephemeral', SHA1, SHA1.toUpperCase(), 'é'.repeat(40), '\u{1f600}'.repeat(40));
  const part = constantFrom('5', '20', '²', '٣', '½', '', 'sm', 'default', '40d1d2c', '\u{1f600}'.repeat(7), 'é', '.part', ' ', '\n');
  const names = new Set<string>();
  assert(
    property(prefix, array(part, { maxLength: 3 }), integer({ min: 0, max: 50 }), (first, parts, length) => {
      const text = [first, ...parts].join('_');
      names.add(text);
      names.add(Array.from(text.padEnd(50, 'é')).slice(0, length).join(''));
    }),
    { numRuns: 800, seed: 20_261_123 },
  );
  return Array.from(names).filter((name) => !/^\.{0,2}$/.test(name) && Buffer.byteLength(name) <= 255);
}

describe('the base directory as Nova scans it', () => {
  let tree: Tree;
  let nova: NovaAnswer;

  beforeAll(() => {
    tree = buildTree({ '_base/foreign': { content: 'x' }, '_base/directory/file': { content: 'not counted' } });
    for (const name of generateNames()) writeFileSync(tree.path(`_base/${name}`), name === SHA1 ? 'x'.repeat(100_000) : '');
    nova = askNova(tree);
  });
  afterAll(() => tree.cleanup());

  const scanWith = (naming: 'nova' | 'strict') =>
    createBaseScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', naming }).scan();

  it('should give every name the kind that the real Nova gives it', async () => {
    const { files } = await scanWith('nova');
    const kinds = Object.fromEntries(Array.from(files, ({ name, kind }) => [name, kind === 'legacy' ? 'resized' : kind]));
    expect({ ...kinds, directory: 'foreign' }).toEqual(nova.kinds);
    expect(new Set(Object.values(nova.kinds))).toEqual(new Set(['original', 'resized', 'swap', 'ephemeral', 'foreign']));
  });

  it('should take no more names than Nova when strict, but for the resized names that Nova overlooks', async () => {
    const { files } = await scanWith('strict');
    const more = Array.from(files).filter(({ name, kind }) => kind !== 'foreign' && nova.kinds[name] === 'foreign');
    expect(more.map(({ name }) => name)).toEqual([`${SHA1}_5`]);
  });

  it("should add up Nova's get_disk_usage", async () => {
    const { cacheUsageBytes } = await scanWith('strict');
    expect(cacheUsageBytes).toBe(nova.usage);
    expect(cacheUsageBytes).toBeGreaterThanOrEqual(100_000);
  });
});

describe('overlays as Nova lists them', () => {
  const KNOWN = ['known', 'known_resize', 'moved', 'nested', 'json', 'flat', 'raw', 'gone', 'dangling', 'empty', 'a-file'];
  const TREE: TreeSpec = {
    [`_base/${SHA1}`]: { sizeBytes: 2 ** 20 },
    'json/console.log': {},
    'known/disk': { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } },
    'known/disk.local': { qcow2: { backingFile: '{instances}/_base/ephemeral_1_40d1d2c', backingFormat: 'raw' } },
    'known_resize/disk': { qcow2: { backingFile: `../_base/${SHA1}_10`, backingFormat: 'raw' } },
    'unknown/disk': { qcow2: { backingFile: '{instances}/_base/unknown', backingFormat: 'raw' } },
    'moved/disk': { qcow2: { backingFile: '/mnt/elsewhere/moved-base', backingFormat: 'raw' } },
    'nested/disk': { qcow2: { backingFile: '{instances}/_base/level1', backingFormat: 'qcow2' } },
    '_base/level1': { qcow2: { backingFile: 'level2', backingFormat: 'raw' } },
    '_base/level2': {},
    'flat/disk': { qcow2: {} },
    'raw/disk': { content: 'x'.repeat(512) },
    'dangling/disk': { symlink: 'nowhere' },
    'empty/console.log': {},
    'a-file': {},
  };

  const ourBacking = async (tree: Tree): Promise<readonly string[]> => {
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'nova' });
    const { overlays, unseen } = await scanner.scan({ instanceNames: new Set([...KNOWN, '..', '', '_base/x']) });
    expect(unseen).toEqual([]);
    expect(overlays.filter(({ state }) => state === 'unreadable')).toEqual([]);
    const names = overlays.flatMap(({ chain }) => chain.map(({ baseName }) => `${tree.basePath}/${baseName}`));
    return Array.from(new Set(names)).toSorted((one, other) => (one < other ? -1 : 1));
  };

  it('should name the base files that the real Nova names', async () => {
    using tree = buildTree(TREE);
    const make = (path: string, ...args: string[]) => qemuImg(['create', '-q', '-f', 'qcow2', ...args, '-F', 'raw', tree.path(path), '1M']);
    make('known/disk', '-o', 'compat=0.10', '-b', tree.path(`_base/${SHA1}`));
    make('json/disk', '-b', `json:{"driver":"raw","file":{"driver":"file","filename":"${tree.basePath}/${SHA1}"}}`);
    const { backing, error } = askNova(tree, KNOWN);
    expect(error).toBeUndefined();
    expect(backing?.length).toBe(5);
    expect(await ourBacking(tree)).toEqual(backing);
  });

  it('should tell a missing backing file, and go on where Nova aborts the pass', async () => {
    using tree = buildTree({
      ...TREE,
      'raw/disk': { content: Buffer.from('QFI\xfb\0\0\0\x03', 'latin1') },
      'flat/disk': { symlink: '../known/disk' },
    });
    expect(askNova(tree, KNOWN).error).toContain('qemu-img');
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'nova' });
    const { overlays } = await scanner.scan({ instanceNames: new Set(KNOWN) });
    expect(Object.fromEntries(overlays.map(({ path, state }) => [path, state]))).toEqual({
      'known/disk': 'ok',
      'known_resize/disk': 'missing-backing',
      'moved/disk': 'missing-backing',
      'nested/disk': 'ok',
      'raw/disk': 'unreadable',
      'flat/disk': 'unreadable',
    });
  });

  it.each([
    ['without the preset', undefined, ['level1']],
    ['with preset: nova, as Nova does not', 'nova', []],
  ] as const)('should see what base files are backed by %s', async (_, preset, seen) => {
    using tree = buildTree({ '_base/level2': {} });
    qemuImg(['create', '-q', '-f', 'qcow2', '-b', 'level2', '-F', 'raw', tree.path('_base/level1'), '1M']);
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'nova', preset });
    const { baseImages, unseen } = await scanner.scan({ instanceNames: new Set() });
    expect(baseImages.map(({ name, chain }) => [name, chain[0]?.baseName])).toEqual(seen.map((name) => [name, 'level2']));
    expect(unseen).toEqual([]);
  });

  it('should hold for a base file that it does not understand, unless a disk says that it is raw', async () => {
    const broken = { content: Buffer.from('QFI\xfb\0\0\0\x03', 'latin1') };
    using tree = buildTree({ [`_base/${SHA1}`]: broken, '_base/other': broken, 'known/console.log': {} });
    qemuImg(['create', '-q', '-f', 'qcow2', '-u', '-b', tree.path(`_base/${SHA1}`), '-F', 'raw', tree.path('known/disk'), '1M']);
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'nova' });
    const { unseen } = await scanner.scan({ instanceNames: new Set(KNOWN) });
    expect(unseen.map(({ path, cause }) => `${path} ${cause}`)).toEqual(['_base/other NotUnderstood']);
  });
});
