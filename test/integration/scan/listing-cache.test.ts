import { lstatSync, mkdirSync, mkdtempDisposableSync, renameSync, writeFileSync, type BigIntStats } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ListingCache } from '../../../src/disk/listing-cache.ts';
import { tracesNames } from '../../../src/disk/network-filesystem.ts';

const HOUR_MS = 3_600_000;
/** An hour ahead, so that what was written just now counts as settled. */
const LATER = { now: () => ({ wallMs: Date.now() + HOUR_MS, monotonicMs: performance.now() }) };
const NOW = { now: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }) };

const statsOf = (path: string): BigIntStats => lstatSync(path, { bigint: true });
const unexpected = (error: unknown): void => expect.fail(String(error));

function cacheOf({ capacity = 100, clock = LATER } = {}) {
  const cache = new ListingCache({ capacity, clock });
  const entriesOf = (path: string, stats = statsOf(path)) => cache.entriesOf(path, stats, unexpected);
  return {
    entriesOf,
    namesIn: (path: string) => [...entriesOf(path)].map(({ name }) => name).toSorted(),
    /** Whether the second look takes the names of the first. */
    isKept: (path: string, stats = statsOf(path)) => entriesOf(path, stats) === entriesOf(path, stats),
    beginScan: () => cache.beginScan(),
    cache,
  };
}

function temporaryDirectory(...names: readonly string[]) {
  const root = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-listing-'));
  for (const name of names) writeFileSync(join(root.path, name), '');
  return root;
}

describe('names in a directory', () => {
  it('should be taken from the last listing while the directory is the same', () => {
    using root = temporaryDirectory('disk');
    expect(cacheOf().isKept(root.path)).toBe(true);
  });

  it('should be listed again after any change of a name', () => {
    using root = temporaryDirectory('disk');
    const { namesIn } = cacheOf();
    const seen = [namesIn(root.path)];
    writeFileSync(join(root.path, 'disk.config'), '');
    seen.push(namesIn(root.path));
    renameSync(join(root.path, 'disk.config'), join(root.path, 'disk.old'));
    seen.push(namesIn(root.path));
    renameSync(join(root.path, 'disk.old'), join(root.path, 'disk'));
    seen.push(namesIn(root.path));
    expect(seen).toEqual([['disk'], ['disk', 'disk.config'], ['disk', 'disk.old'], ['disk']]);
  });

  it('should be those of the directory that has the path now', () => {
    using root = temporaryDirectory();
    const [vm, aside, other] = ['vm', 'aside', 'other'].map((name) => join(root.path, name)) as [string, string, string];
    mkdirSync(vm);
    mkdirSync(other);
    writeFileSync(join(vm, 'disk'), '');
    writeFileSync(join(other, 'disk.new'), '');
    const { namesIn } = cacheOf();
    const before = namesIn(vm);
    renameSync(vm, aside);
    renameSync(other, vm);
    expect([before, namesIn(vm), namesIn(aside)]).toEqual([['disk'], ['disk.new'], ['disk']]);
  });

  it('should be listed again where another change could have left the same ctime', () => {
    using root = temporaryDirectory('disk');
    expect(cacheOf({ clock: NOW }).isKept(root.path)).toBe(false);
  });

  it('should be listed again where the ctime may be of whole seconds', () => {
    using root = temporaryDirectory('disk');
    const whole = Object.assign(statsOf(root.path), { ctimeNs: 1_700_000_000_000_000_000n });
    expect(cacheOf().isKept(root.path, whole)).toBe(false);
  });

  it('should be listed again on a file system that is not known to change ctimes', () => {
    const fraction = Object.assign(statsOf('/sys/fs'), { ctimeNs: 1_700_000_000_000_000_001n });
    expect(cacheOf().isKept('/sys/fs', fraction)).toBe(false);
  });

  it('should be listed again after a listing that failed', () => {
    using root = temporaryDirectory('vm');
    const vm = join(root.path, 'vm');
    const { cache } = cacheOf();
    const errors: unknown[] = [];
    for (let look = 0; look < 2; look += 1) cache.entriesOf(vm, statsOf(vm), (error) => errors.push(error));
    expect(errors).toHaveLength(2);
  });
});

describe('what is kept', () => {
  it('should not be a directory of many names', () => {
    using root = temporaryDirectory(...Array.from({ length: 65 }, (_, index) => `disk.${index}`));
    expect(cacheOf().isKept(root.path)).toBe(false);
  });

  it('should not grow above the capacity, and give up first what the scan does not come to', () => {
    using root = temporaryDirectory();
    const paths = ['a', 'b', 'c'].map((name) => join(root.path, name)) as [string, string, string];
    for (const path of paths) {
      mkdirSync(path);
      for (const name of ['disk', 'disk.info']) writeFileSync(join(path, name), '');
    }
    const [a, b, c] = paths;
    const { isKept, beginScan } = cacheOf({ capacity: 4 });
    beginScan();
    expect([a, b, c].map((path) => isKept(path))).toEqual([true, true, false]);
    beginScan();
    expect([b, c].map((path) => isKept(path))).toEqual([true, true]);
    expect(isKept(a)).toBe(false);
  });
});

it('should rely on local file systems only', () => {
  expect([0xef53, 0x58465342, 0x9123683e, 0x9123683e - 2 ** 32, 0x01021994].map(tracesNames)).toEqual(Array(5).fill(true));
  // NFS, FUSE, CephFS, OCFS2, GFS2, overlayfs, sysfs.
  const others = [0x6969, 0x65735546, 0x00c36400, 0x7461636f, 0x01161970, 0x794c7630, 0x62656572];
  expect(others.map(tracesNames)).toEqual(others.map(() => false));
});
