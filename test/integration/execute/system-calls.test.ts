import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baseName, DAY_MS } from '../../helpers/execute-plans.ts';
import { makeTree, putFile } from '../../helpers/execute-tree.ts';

const CHILD = resolve('test/helpers/execute-child.ts');

/** Calls about files and descriptors of a process that removes `count` files whose lock files are there, as Nova has left them. */
function callsOf(count: number): { readonly calls: number; readonly batches: number; readonly again: number } {
  const { instancesPath, basePath, locksPath } = makeTree();
  const names = Array.from({ length: count }, (_, index) => baseName(`image-${index}`));
  for (const name of names) {
    putFile(join(basePath, name), Date.now() - 2 * DAY_MS);
    writeFileSync(join(locksPath, `nova-${name}`), '');
  }
  const output = join(instancesPath, 'strace');
  const traced = ['-f', '-e', 'trace=%file,close,fcntl,fstat', '-e', 'signal=none', '-o', output];
  execFileSync('strace', [...traced, process.execPath, CHILD, basePath, locksPath, ...names.map((name) => `${name}:remove`)]);
  expect(readdirSync(basePath)).toEqual([]);
  const calls = readFileSync(output, 'utf8')
    .split('\n')
    .filter((line) => line.includes('('));
  const locked = calls.filter((line) => line.includes('openat(') && line.includes('/nova-')).length;
  return { calls: calls.length, again: locked - count, batches: calls.filter((line) => line.includes(`"${locksPath}", O_RDONLY`)).length };
}

/** The lock directory is opened, looked at and closed. How many batches there are depends on the time that they take. */
const CALLS_OF_A_BATCH = 3;
/** A file that its batch has no time for, as on a busy machine, is locked, looked at and released once more. */
const CALLS_AGAIN = 7;

describe('what a removal asks the kernel for', () => {
  it('should be 14 calls, six about its lock and eight about the file, and three for each batch', () => {
    const [few, many] = [callsOf(100), callsOf(300)];
    const calls = many.calls - few.calls - CALLS_OF_A_BATCH * (many.batches - few.batches) - CALLS_AGAIN * (many.again - few.again);
    // The child looks at each file once to write its plan.
    const perRemoval = calls / 200 - 1;
    expect(perRemoval).toBeGreaterThan(12);
    expect(perRemoval).toBeLessThan(14.1);
  });
});
