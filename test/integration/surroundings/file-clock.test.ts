import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fileClockProblem } from '../../../src/surroundings/file-clock.ts';
import { buildTree, type Tree } from '../../helpers/tree.ts';

const UNUSED = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const HOUR_S = 3600;
const CLI = fileURLToPath(new URL('../../../src/bin/basekeeper.ts', import.meta.url));

const clockAhead = (ms: number) => ({ now: () => ({ wallMs: Date.now() + ms, monotonicMs: performance.now() }) });
const placesOf = (tree: Tree) => ({ instancesPath: tree.instancesPath, locksPath: tree.path('locks') });

describe("a clock that is not the file system's", () => {
  it.each([
    [61_000, /^the clock of this process .* is 6[01] s ahead of the file system's, by a file .*locks; set the clocks/],
    [-61_000, /is 6[01] s behind the file system's/],
  ])('should be told when it is off by %i ms, and leave no file behind', (ms, expected) => {
    using tree = buildTree({ locks: { directory: true } });
    expect(fileClockProblem(placesOf(tree), clockAhead(ms))).toEqual([expect.stringMatching(expected)]);
    expect(readdirSync(tree.path('locks'))).toEqual([]);
  });

  it('should be nobody’s business within a minute, and where nothing can be written', () => {
    using tree = buildTree({ locks: { directory: true } });
    for (const ms of [0, 55_000, -55_000]) expect(fileClockProblem(placesOf(tree), clockAhead(ms))).toEqual([]);
    rmSync(tree.path('locks'), { recursive: true });
    expect(fileClockProblem(placesOf(tree), clockAhead(HOUR_S * 1000))).toEqual([]);
  });

  // The command of a node whose time was not set yet: ages are days too long.
  it.each(['+10d', '-10d'])('should hold the removals of a command that runs %s from it, and let a dry run write nothing', (offset) => {
    using tree = buildTree({ [`_base/${UNUSED}`]: { ageSeconds: 30 * 24 * HOUR_S }, locks: { directory: true } });
    writeFileSync(tree.path('../w.yaml'), 'workloads: [{name: vm}]\n');
    const args = [process.execPath, CLI, 'pass', '--instances-path', tree.instancesPath, '--workloads', tree.path('../w.yaml')];
    const pass = (...more: string[]) => spawnSync('faketime', ['-f', offset, ...args, '--output', 'json', ...more], { encoding: 'utf8' });
    const reasonsOf = ({ stdout }: { stdout: string }) =>
      (JSON.parse(stdout) as { gate: { reasons: { reason: string }[] } }).gate.reasons.map(({ reason }) => reason);
    expect(reasonsOf(pass('--dry-run'))).not.toContain('ClockNotSane');
    expect(readdirSync(tree.path('locks'))).toEqual([]);
    expect(reasonsOf(pass())).toContain('ClockNotSane');
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(true);
  });
});
