import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BaseScan } from '../../../src/model/scan.ts';
import { createBaseScanner, type BaseScannerOptions } from '../../../src/scan/base-scanner.ts';
import { buildTree, type Tree } from '../../helpers/tree.ts';
import { asUnprivileged } from '../../helpers/unprivileged.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';

const scanOf = (tree: Tree, options: Partial<BaseScannerOptions> = {}, signal?: AbortSignal): Promise<BaseScan> =>
  createBaseScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', naming: 'strict', ...options }).scan({ signal });

const names = (scan: BaseScan): string[] => Array.from(scan.files, ({ name }) => name).toSorted();

/** A clock that runs `action` at its nth reading: in the middle of a scan, and always at the same place. */
function clockThat(action: () => void, reading: number) {
  let readings = 0;
  return {
    now: () => {
      readings += 1;
      if (readings === reading) action();
      return { wallMs: 0, monotonicMs: 0 };
    },
  };
}

describe('createBaseScanner', () => {
  it('should call it a problem where a name in the other case is the same file', async () => {
    // A hard link looks as a file system does that does not distinguish them.
    using tree = buildTree({ [`_base/${SHA1}`]: {}, [`_base/${SHA1.toUpperCase()}`]: { hardLink: `_base/${SHA1}` } });
    expect((await scanOf(tree)).problems).toMatchObject([
      { path: '_base', code: 'ENOTSUP', message: expect.stringContaining('does not distinguish upper and lower case') },
    ]);
    using other = buildTree({ [`_base/${SHA1}`]: {}, [`_base/${SHA1.toUpperCase()}`]: {}, '_base/123': {}, '_base/README': {} });
    expect((await scanOf(other)).problems).toEqual([]);
  });

  it('should report exactly what lstat says', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: { content: 'x'.repeat(10_000), sizeBytes: 2 ** 30, ageSeconds: 100_000.5 } });
    const [file] = (await scanOf(tree)).files;
    const stats = lstatSync(tree.path(`_base/${SHA1}`), { bigint: true });
    expect(file).toMatchObject({
      name: SHA1,
      kind: 'original',
      sizeBytes: 2 ** 30,
      allocatedBytes: Number(stats.blocks) * 512,
      modifiedAtMs: Number(stats.mtimeNs) / 1e6,
      modifiedAtNs: stats.mtimeNs,
      device: stats.dev,
      inode: stats.ino,
    });
    expect(file?.allocatedBytes).toBeLessThan(2 ** 20);
  });

  it('should report the size of the file system', async () => {
    using tree = buildTree();
    const { bsize, blocks } = statfsSync(tree.basePath);
    expect((await scanOf(tree)).filesystem?.sizeBytes).toBe(blocks * bsize);
  });

  it('should never lose a name: bytes that are not UTF-8, line ends, 255 bytes', async () => {
    using tree = buildTree();
    const strange = [
      Buffer.from(`${SHA1.slice(0, 39)}\xff`, 'latin1'),
      Buffer.from('a\nb'),
      Buffer.from('ä'.repeat(127)),
      Buffer.from('\ufffd'),
    ];
    for (const name of strange) writeFileSync(Buffer.concat([Buffer.from(`${tree.basePath}/`), name]), 'x');
    for (const naming of ['strict', 'nova'] as const) {
      const scan = await scanOf(tree, { naming });
      expect(names(scan)).toEqual(strange.map((name) => name.toString('utf8')).toSorted());
      expect(Array.from(scan.files, ({ kind, sizeBytes }) => ({ kind, sizeBytes }))).toEqual(
        Array.from({ length: 4 }, () => ({ kind: 'foreign', sizeBytes: 1 })),
      );
      expect(scan.problems).toEqual([]);
    }
  });

  it('should list every file of a directory that needs several reads', async () => {
    using tree = buildTree();
    const expected = Array.from({ length: 2500 }, (_, index) => `swap_${index}`).toSorted();
    for (const name of expected) writeFileSync(tree.path(`_base/${name}`), '');
    expect(names(await scanOf(tree))).toEqual(expected);
  });

  it('should let the event loop turn while it lists', async () => {
    using tree = buildTree();
    for (let index = 0; index < 2500; index += 1) writeFileSync(tree.path(`_base/swap_${index}`), '');
    let turns = 0;
    let done = false;
    const turn = (): void => {
      turns += 1;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    await scanOf(tree, { clock: clockThat(() => undefined, 0) });
    done = true;
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it('should stop in the middle when it is aborted', async () => {
    using tree = buildTree();
    for (let index = 0; index < 2500; index += 1) writeFileSync(tree.path(`_base/swap_${index}`), '');
    const controller = new AbortController();
    const reason = new Error('deadline');
    const clock = clockThat(() => controller.abort(reason), 10);
    await expect(scanOf(tree, { clock }, controller.signal)).rejects.toBe(reason);
  });

  it('should take no offence at files that vanish while it lists', async () => {
    using tree = buildTree();
    for (let index = 0; index < 200; index += 1) writeFileSync(tree.path(`_base/swap_${index}`), '');
    const clock = clockThat(() => {
      for (const name of readdirSync(tree.basePath)) rmSync(tree.path(`_base/${name}`));
    }, 2);
    const scan = await scanOf(tree, { clock });
    expect(scan.problems).toEqual([]);
    expect(scan.files.length).toBe(16);
  });

  it('should count a file that becomes a link while it lists, and not follow it', async () => {
    using tree = buildTree();
    for (let index = 0; index < 32; index += 1) writeFileSync(tree.path(`_base/swap_${index}`), '');
    const clock = clockThat(() => {
      for (const name of readdirSync(tree.basePath)) {
        rmSync(tree.path(`_base/${name}`));
        symlinkSync('/etc/hostname', tree.path(`_base/${name}`));
      }
    }, 2);
    const scan = await scanOf(tree, { clock });
    expect({ files: scan.files.length, irregular: scan.irregularEntries }).toEqual({ files: 16, irregular: 16 });
  });

  it('should refuse a base directory that is a symbolic link, and say what to do', async () => {
    using tree = buildTree({ [`elsewhere/${SHA1}`]: {} });
    rmSync(tree.basePath, { recursive: true });
    symlinkSync(tree.path('elsewhere'), tree.basePath);
    const scan = await scanOf(tree);
    expect(scan.files.length).toBe(0);
    expect(scan).toMatchObject({
      exists: true,
      problems: [{ path: '_base', code: 'ELOOP', message: expect.stringContaining('bind mount') }],
    });
  });

  it('should refuse a base directory that is a file', async () => {
    using tree = buildTree();
    rmSync(tree.basePath, { recursive: true });
    writeFileSync(tree.basePath, '');
    expect(await scanOf(tree)).toMatchObject({ exists: true, problems: [{ code: 'ENOTDIR' }] });
  });

  it('should follow an instances path that is a symbolic link', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: {} });
    const link = `${tree.instancesPath}-link`;
    symlinkSync(tree.instancesPath, link);
    const scan = await scanOf(tree, { instancesPath: link });
    expect({ names: names(scan), basePath: scan.basePath }).toEqual({ names: [SHA1], basePath: `${link}/_base` });
  });

  it('should not take a missing instances path for an empty cache', async () => {
    using tree = buildTree();
    rmSync(tree.instancesPath, { recursive: true });
    expect(await scanOf(tree)).toMatchObject({ exists: false, problems: [{ code: 'ENOENT' }] });
  });

  it('should find a base directory with another name, also a nested one', async () => {
    using tree = buildTree({ [`cache/images/${SHA1}`]: {} });
    expect(names(await scanOf(tree, { subdirectoryName: 'cache/images' }))).toEqual([SHA1]);
  });

  it('should report a directory that it may not list', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: {}, _base: { directory: true, mode: 0o700 } });
    const scan = await asUnprivileged(() => scanOf(tree));
    expect(scan).toMatchObject({ exists: true, problems: [{ path: '_base', code: 'EACCES' }] });
    expect(scan.files.length).toBe(0);
  });

  it('should report files that it may not look at, a hundred by name and the others by number', async () => {
    using tree = buildTree();
    for (let index = 0; index < 150; index += 1) writeFileSync(tree.path(`_base/swap_${index}`), '');
    tree.add({ _base: { directory: true, mode: 0o744 } });
    const scan = await asUnprivileged(() => scanOf(tree));
    expect(scan.problems.length).toBe(101);
    expect(scan.problems[0]).toMatchObject({ path: expect.stringMatching(/^_base\/swap_/), code: 'EACCES' });
    expect(scan.problems.at(-1)?.message).toContain('50 more');
  });

  it('should count no usage for a cache on another device than the instances path', async () => {
    // /dev/shm is a file system of its own below /dev.
    const directory = `/dev/shm/basekeeper-${process.pid}`;
    mkdirSync(directory);
    try {
      writeFileSync(`${directory}/${SHA1}`, 'x'.repeat(10_000));
      const options = { naming: 'strict', subdirectoryName: directory.slice('/dev/'.length) } as const;
      const apart = await createBaseScanner({ ...options, instancesPath: '/dev' }).scan();
      expect(Array.from(apart.files, ({ allocatedBytes }) => allocatedBytes > 0)).toEqual([true]);
      expect(apart.cacheUsageBytes).toBe(0);
      const together = await createBaseScanner({
        ...options,
        instancesPath: '/dev/shm',
        subdirectoryName: `basekeeper-${process.pid}`,
      }).scan();
      expect(together.cacheUsageBytes).toBeGreaterThanOrEqual(10_000);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('should not be confused by a base directory that comes and goes', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: {} });
    const scanner = createBaseScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', naming: 'strict' });
    renameSync(tree.basePath, tree.path('away'));
    expect((await scanner.scan()).exists).toBe(false);
    renameSync(tree.path('away'), tree.basePath);
    expect(existsSync(tree.basePath)).toBe(true);
    expect((await scanner.scan()).files.length).toBe(1);
  });
});
