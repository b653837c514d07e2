import { expect, it } from 'vitest';
import { EmptyLocks } from '../../../src/overlays/empty-locks.ts';

const STATS = { dev: 1n, ino: 2n, ctimeNs: 3n };

it('more lock files than are remembered by their names should still make a directory that need not be listed again', () => {
  const locks = new EmptyLocks();
  for (let index = 0; index < 70_000; index += 1) locks.add(`nova-${index}`);
  locks.listed(70_000, STATS);
  expect(locks.names.size).toBe(65_536);
  expect(locks.isUnchanged(STATS)).toBe(true);
  locks.listed(70_001, STATS);
  expect(locks.isUnchanged(STATS)).toBe(false);
});

it.each([{ dev: 9n }, { ino: 9n }, { ctimeNs: 9n }])('another directory, or one that has changed, should be listed again: %o', (other) => {
  const locks = new EmptyLocks();
  locks.listed(0, STATS);
  expect(locks.isUnchanged({ ...STATS, ...other })).toBe(false);
});
