import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runPass } from '../../../src/pass/pass.ts';
import { benchParts } from '../../../bench/lib/parts.ts';
import { buildTree } from '../../../bench/lib/tree.ts';

const BUNDLE = 'dist/basekeeper.js';

function inTemporaryDirectory<T>(work: (root: string) => T): T {
  const root = mkdtempSync(join(tmpdir(), 'basekeeper-guard-'));
  try {
    return work(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** File system calls of a whole `basekeeper plan`, by `strace -c`. */
function callsOfPlan(size: { readonly files: number; readonly vms: number }): number {
  return inTemporaryDirectory((root) => {
    const tree = buildTree(root, size);
    const summary = join(root, 'strace');
    const traced = ['-f', '-c', '-e', 'trace=%file,read,pread64,close,getdents64,fstat,fstatfs', '-o', summary];
    const plan = ['plan', '--instances-path', tree.instancesPath, '--workloads', tree.workloadsPath, '--output', 'json'];
    execFileSync('strace', [...traced, process.execPath, BUNDLE, ...plan], {
      stdio: 'ignore',
      env: { ...process.env, NODE_NAME: 'node-a' },
    });
    const total =
      readFileSync(summary, 'utf8')
        .split('\n')
        .find((line) => line.trimEnd().endsWith(' total')) ?? '';
    // % time, seconds, usecs/call, calls, [errors], total
    const calls = Number(total.trim().split(/\s+/)[3]);
    expect(calls).toBeGreaterThan(100);
    return calls;
  });
}

describe('what a plan asks the kernel for', () => {
  let few: number;
  beforeAll(() => {
    few = callsOfPlan({ files: 500, vms: 10 });
  });

  it('should be one call for each further base file that is empty, and two in a hundred for listing them', () => {
    // One with bytes is looked at again, opened, looked at, read and closed, once until it changes.
    const perFile = (callsOfPlan({ files: 4500, vms: 10 }) - few) / 4000;
    expect(perFile).toBeGreaterThanOrEqual(1);
    expect(perFile).toBeLessThanOrEqual(1.05);
  });

  it('should be at most 15 calls for each further instance directory with one overlay on its base file', () => {
    const perOverlay = (callsOfPlan({ files: 500, vms: 210 }) - few) / 200;
    expect(perOverlay).toBeGreaterThan(4);
    expect(perOverlay).toBeLessThanOrEqual(15);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

interface Looks {
  readonly base: number;
  readonly locks: number;
  /** At files that could go and stay, for the limit of removals. */
  readonly waiting: number;
}

/** How often a pass looks at a file that it removes, and at its lock file, by `strace`: at most of them. */
function looksOfPass(size: Parameters<typeof buildTree>[1], settings: object = { maxRemovalsPerPass: 0 }): Looks {
  return inTemporaryDirectory((root) => {
    const tree = buildTree(root, size);
    const [trace, config] = [join(root, 'strace'), join(root, 'config.json')];
    writeFileSync(config, JSON.stringify({ instancesPath: tree.instancesPath, ...settings }));
    const names = readdirSync(tree.basePath);
    const pass = ['pass', '--config', config, '--workloads', tree.workloadsPath, '--output', 'json'];
    const printed = execFileSync('strace', ['-f', '-e', 'trace=statx,newfstatat,lstat', '-o', trace, process.execPath, BUNDLE, ...pass], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, NODE_NAME: 'node-a' },
    });
    const looks = new Map<string, number>();
    for (const [, path = ''] of readFileSync(trace, 'utf8').matchAll(/AT_FDCWD, "([^"]+)"/g)) looks.set(path, (looks.get(path) ?? 0) + 1);
    const left = new Set(readdirSync(tree.basePath));
    const removed = names.filter((name) => !left.has(name));
    expect(removed.length).toBeGreaterThan(300);
    const of = (path: (name: string) => string) => median(removed.map((name) => looks.get(path(name)) ?? 0));
    const { files } = JSON.parse(printed.toString()) as { files: { name: string; reason: string }[] };
    const waiting = files
      .filter(({ reason }) => reason === 'RemovalLimitReached')
      .map(({ name }) => looks.get(join(tree.basePath, name)) ?? 0);
    return {
      waiting: median(waiting),
      base: of((name) => join(tree.basePath, name)),
      locks: of((name) => join(tree.instancesPath, 'locks', `nova-${name}`)),
    };
  });
}

it('should look at a base file that goes, and at a lock file, once for the plan, however many batches there are', () => {
  const { base, locks } = looksOfPass({ files: 500, vms: 5, locks: true });
  // What is done under a lock reaches the file through the descriptor of its directory.
  expect(base).toBe(1);
  // And where the lock was taken: the path still leads to it.
  expect(locks).toBe(2);
});

it('should look once at a base file that waits for a later pass', () => {
  expect(looksOfPass({ files: 2000, vms: 5, locks: true }, {})).toMatchObject({ base: 1, waiting: 1 });
});

it('should read no header again in a pass before which nothing changed', async () => {
  const root = mkdtempSync(join(tmpdir(), 'basekeeper-guard-'));
  try {
    const tree = buildTree(root, { files: 200, vms: 50 });
    // An hour ahead, so that what was written just now counts as settled.
    const clock = { now: () => ({ wallMs: Date.now() + 3_600_000, monotonicMs: performance.now() }) };
    const parts = benchParts(tree.instancesPath, tree.workloadsPath, {}, clock);
    const headers: number[] = [];
    const scan: typeof parts.overlays.scan = async (options) => {
      const found = await parts.overlays.scan(options);
      headers.push(found.headersRead);
      return found;
    };
    for (let pass = 0; pass < 2; pass += 1) {
      headers.push(-1);
      expect((await runPass({ ...parts, overlays: { scan } }, { dryRun: true })).findings).toEqual([]);
    }
    const [first, second] = headers
      .join(' ')
      .split('-1')
      .slice(1)
      .map((text) => text.trim().split(' ').map(Number));
    expect(first?.[0]).toBe(50);
    expect(second?.every((count) => count === 0)).toBe(true);
  } finally {
    rmSync(root, { recursive: true });
  }
});
