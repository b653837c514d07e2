import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baseName, DAY_MS } from '../../helpers/execute-plans.ts';
import { makeTree, putFile } from '../../helpers/execute-tree.ts';

const CHILD = resolve('test/helpers/execute-child.ts');

/** Calls about files and descriptors of a process that removes `count` files whose lock files are there, as Nova has left them. */
function callsOf(count: number): number {
  const { instancesPath, basePath, locksPath } = makeTree();
  const names = Array.from({ length: count }, (_, index) => baseName(`image-${index}`));
  for (const name of names) {
    putFile(join(basePath, name), Date.now() - 2 * DAY_MS);
    writeFileSync(join(locksPath, `nova-${name}`), '');
  }
  const summary = join(instancesPath, 'strace');
  const traced = ['-f', '-c', '-e', 'trace=%file,close,fcntl,fstat', '-o', summary];
  execFileSync('strace', [...traced, process.execPath, CHILD, basePath, locksPath, ...names.map((name) => `${name}:remove`)]);
  expect(readdirSync(basePath)).toEqual([]);
  const total = readFileSync(summary, 'utf8')
    .split('\n')
    .find((line) => line.trimEnd().endsWith(' total'));
  // % time, seconds, usecs/call, calls, [errors], total
  return Number(total?.trim().split(/\s+/)[3]);
}

describe('what a removal asks the kernel for', () => {
  it('should be 14 calls, six about its lock and eight about the file, and a handful for each batch', () => {
    // The child looks at each file once to write its plan.
    const perRemoval = (callsOf(300) - callsOf(100)) / 200 - 1;
    expect(perRemoval).toBeGreaterThan(10);
    expect(perRemoval).toBeLessThanOrEqual(14.1);
  });
});
