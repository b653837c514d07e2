import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../helpers/tree.ts';
import { IMPLEMENTATIONS } from './trees.ts';

const IMAGE = '0d5e6b61602d758984b3bf038267614d6016eb2a';

describe.each(IMPLEMENTATIONS)('BaseScanner, $name', ({ make }) => {
  it('should list every regular file with its kind, size and mtime', async () => {
    using tree = make({
      [`_base/${IMAGE}`]: { content: 'x'.repeat(5000), ageSeconds: DAY },
      [`_base/${IMAGE}_20`]: { ageSeconds: HOUR },
      [`_base/${IMAGE}_sm`]: {},
      '_base/swap_512': {},
      '_base/ephemeral_20_40d1d2c': {},
      '_base/notes.txt': { content: 'mine' },
    });
    const scan = await tree.baseScanner().scan();
    const files = Array.from(scan.files);
    expect(Object.fromEntries(files.map(({ name, kind }) => [name, kind]))).toEqual({
      [IMAGE]: 'original',
      [`${IMAGE}_20`]: 'resized',
      [`${IMAGE}_sm`]: 'legacy',
      swap_512: 'swap',
      ephemeral_20_40d1d2c: 'ephemeral',
      'notes.txt': 'foreign',
    });
    const original = files.find(({ kind }) => kind === 'original');
    expect(original).toMatchObject({ sizeBytes: 5000, allocatedBytes: 8192 });
    expect(Math.abs((original?.modifiedAtMs ?? 0) - (tree.nowMs - DAY * 1000))).toBeLessThan(60_000);
    expect(Number(original?.modifiedAtNs) / 1e6).toBe(original?.modifiedAtMs);
    expect(scan).toMatchObject({ basePath: `${tree.instancesPath}/_base`, exists: true, irregularEntries: 0, problems: [] });
    expect(scan.cacheUsageBytes).toBe(files.reduce((sum, file) => sum + file.allocatedBytes, 0));
    expect(scan.filesystem?.availableBytes).toBeLessThanOrEqual(scan.filesystem?.sizeBytes ?? 0);
  });

  it('should give each file an identity of its own', async () => {
    using tree = make({ '_base/a': {}, '_base/b': {} });
    const [first, second] = (await tree.baseScanner().scan()).files;
    expect(first?.inode).not.toBe(second?.inode);
    expect(first?.device).toBe(second?.device);
  });

  it('should tell when the newest file was modified, in whatever order they are listed', async () => {
    using tree = make({
      '_base/a': { ageSeconds: 50 },
      '_base/b': { ageSeconds: -HOUR },
      '_base/c': { ageSeconds: 100 },
      '_base/d': { ageSeconds: HOUR },
    });
    const { files, newestModifiedAtMs } = await tree.baseScanner().scan();
    expect(newestModifiedAtMs).toBe(Array.from(files).find(({ name }) => name === 'b')?.modifiedAtMs);
  });

  it('should report a missing base directory as a value', async () => {
    using tree = make({});
    tree.remove('_base');
    const scan = await tree.baseScanner().scan();
    expect(scan).toMatchObject({ exists: false, problems: [], cacheUsageBytes: 0, filesystem: undefined });
    expect(scan.files.length).toBe(0);
  });

  it('should count directories, links and FIFOs without listing them', async () => {
    using tree = make({
      [`_base/${IMAGE}`]: { symlink: '/etc/hostname' },
      '_base/swap_1': { directory: true },
      '_base/swap_2/nested': {},
      '_base/swap_3': { fifo: true },
    });
    const scan = await tree.baseScanner().scan();
    expect(scan.irregularEntries).toBe(4);
    expect(scan.files.length).toBe(0);
    expect(scan.problems).toEqual([]);
  });

  it('should remember the newest partial download in whatever order they are listed', async () => {
    const digests = Array.from('0123456789abcdef', (digit) => digit.repeat(40));
    const files = digests.flatMap((digest, index) => [
      [`_base/${digest}.part`, { ageSeconds: index % 2 === 0 ? HOUR : 60 }] as const,
      [`_base/${digest}.converted`, { ageSeconds: index % 2 === 0 ? 60 : HOUR }] as const,
    ]);
    using tree = make(Object.fromEntries(files));
    const { partialDownloads } = await tree.baseScanner().scan();
    const ages = digests.map((digest) => Math.round((tree.nowMs - (partialDownloads.get(digest) ?? 0)) / 1000 / HOUR));
    expect(ages).toEqual(digests.map(() => 0));
  });

  it('should remember the newest partial download of each image, by digest', async () => {
    using tree = make({
      [`_base/${IMAGE}.part`]: { ageSeconds: HOUR },
      [`_base/${IMAGE}.converted`]: { ageSeconds: 60 },
      '_base/other.part': {},
    });
    const { partialDownloads, files } = await tree.baseScanner().scan();
    expect(Array.from(partialDownloads.keys())).toEqual([IMAGE]);
    expect(Math.abs((partialDownloads.get(IMAGE) ?? 0) - (tree.nowMs - 60_000))).toBeLessThan(30_000);
    expect(Array.from(files, ({ kind }) => kind)).toEqual(['foreign', 'foreign', 'foreign']);
  });

  it('should see what changed since its last scan', async () => {
    using tree = make({ '_base/swap_1': {} });
    const scanner = tree.baseScanner();
    await scanner.scan();
    tree.add({ '_base/swap_2': {} });
    tree.remove('_base/swap_1');
    expect(Array.from((await scanner.scan()).files, ({ name }) => name)).toEqual(['swap_2']);
  });

  it('should stop with the reason of an aborted signal', async () => {
    using tree = make({ '_base/swap_1': {} });
    const reason = new Error('shutting down');
    await expect(tree.baseScanner().scan({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
