import { describe, expect, it } from 'vitest';
import { HeaderCache, type FileStamp } from '../../../src/images/header-cache.ts';

const RAW = { kind: 'raw' } as const;
const NOW_MS = 1_700_000_000_000;
const stamp = (ino: number, more: Partial<FileStamp> = {}): FileStamp => ({
  dev: 1n,
  ino: BigInt(ino),
  size: 100n,
  mtimeNs: 1n,
  ctimeNs: 1n,
  ...more,
});

function filled(capacity: number, inodes: readonly number[]): HeaderCache {
  const cache = new HeaderCache(capacity);
  cache.beginPass();
  for (const ino of inodes) cache.put(stamp(ino), RAW, NOW_MS);
  return cache;
}

describe('HeaderCache', () => {
  it('should give back what it was given', () => {
    expect(filled(10, [1]).get(stamp(1))).toBe(RAW);
  });

  it.each([{ size: 101n }, { mtimeNs: 2n }, { ctimeNs: 2n }, { dev: 2n }, { ino: 2n }])(
    'should not know the file once %o differs',
    (more) => {
      expect(filled(10, [1]).get(stamp(1, more))).toBeUndefined();
      expect(filled(10, [1]).knowsRaw(stamp(1, more))).toBe(false);
    },
  );

  it('should know to be raw what is, and nothing else', () => {
    const cache = filled(10, [1]);
    cache.put(stamp(2), { kind: 'invalid', format: 'qcow2', message: 'x' }, NOW_MS);
    expect([1, 2, 3].map((ino) => cache.knowsRaw(stamp(ino)))).toEqual([true, false, false]);
  });

  it('should keep in the next pass what was known to be raw before it', () => {
    const cache = filled(1, [1]);
    cache.knowsRaw(stamp(1));
    cache.beginPass();
    cache.put(stamp(2), RAW, NOW_MS);
    expect([1, 2].map((ino) => cache.knowsRaw(stamp(ino)))).toEqual([true, false]);
  });

  it('should replace the header of a file that has changed', () => {
    const cache = filled(10, [1]);
    const other = { kind: 'invalid', format: 'qcow2', message: 'x' } as const;
    cache.put(stamp(1, { mtimeNs: 2n }), other, NOW_MS);
    expect(cache.get(stamp(1, { mtimeNs: 2n }))).toBe(other);
    expect(cache.size).toBe(1);
  });

  it('should not keep a header that was read in the tick in which the file changed', () => {
    const cache = filled(10, []);
    const now = BigInt(NOW_MS) * 1_000_000n;
    cache.put(stamp(1, { ctimeNs: now - 5_000_000n }), RAW, NOW_MS);
    cache.put(stamp(2, { ctimeNs: now + 5_000_000n }), RAW, NOW_MS);
    cache.put(stamp(3, { ctimeNs: now - 50_000_000n }), RAW, NOW_MS);
    expect(cache.get(stamp(1, { ctimeNs: now - 5_000_000n }))).toBeUndefined();
    expect(cache.get(stamp(2, { ctimeNs: now + 5_000_000n }))).toBeUndefined();
    expect(cache.get(stamp(3, { ctimeNs: now - 50_000_000n }))).toBe(RAW);
  });

  it('should not trust the stamps of a file system that stores whole seconds for two of them', () => {
    const cache = filled(10, []);
    const second = BigInt(NOW_MS) * 1_000_000n;
    for (const [ino, agoSeconds] of [
      [1, 1n],
      [2, 2n],
    ] as const) {
      const file = stamp(ino, { ctimeNs: second - agoSeconds * 1_000_000_000n });
      cache.put(file, RAW, NOW_MS);
      expect(cache.get(file), `${agoSeconds} s`).toBe(agoSeconds < 2n ? undefined : RAW);
    }
  });

  it('should never hold more than its capacity, and keep what a pass saw first', () => {
    const cache = filled(3, [1, 2, 3, 4, 5]);
    expect(cache.size).toBe(3);
    cache.beginPass();
    expect([1, 2, 3, 4, 5].map((ino) => cache.get(stamp(ino)) !== undefined)).toEqual([true, true, true, false, false]);
  });

  it('should make room for new files by dropping those that the last pass did not see', () => {
    const cache = filled(3, [1, 2, 3]);
    cache.beginPass();
    cache.get(stamp(2));
    cache.put(stamp(4), RAW, NOW_MS);
    cache.put(stamp(5), RAW, NOW_MS);
    cache.put(stamp(6), RAW, NOW_MS);
    expect([1, 2, 3, 4, 5, 6].filter((ino) => cache.get(stamp(ino)) !== undefined)).toEqual([2, 4, 5]);
  });

  it('should keep nothing with a capacity of 0', () => {
    expect(filled(0, [1]).size).toBe(0);
  });
});
