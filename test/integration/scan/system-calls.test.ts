import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTree as buildBenchTree } from '../../../bench/lib/tree.ts';
import { buildTree, type Tree } from '../../helpers/tree.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const FILES = 2000;
const DISKS = 50;

interface Call {
  readonly name: string;
  readonly path: string;
  readonly line: string;
}

/** What the two scans of `scan-child.ts` asked the kernel for, threads included. */
function trace(instancesPath: string): { readonly first: readonly Call[]; readonly second: readonly Call[] } {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-'));
  try {
    const output = join(directory, 'trace');
    const child = fileURLToPath(new URL('../../helpers/scan-child.ts', import.meta.url));
    execFileSync(
      'strace',
      ['-f', '-y', '-e', 'trace=%file,getdents64,pread64,read', '-o', output, process.execPath, child, instancesPath],
      {
        stdio: ['ignore', 'inherit', 'pipe'],
      },
    );
    const lines = readFileSync(output, 'utf8').split('\n');
    const calls = lines.flatMap((line): Call[] => {
      // A path is quoted or, for a descriptor, in angle brackets (-y): whichever comes first.
      const [, name = '', argument = ''] = /^\d+ +(\w+)\((?:AT_FDCWD<[^>]*>, )?(.*)$/.exec(line) ?? [];
      const [, quoted, descriptor] = /^[^"<]*(?:"([^"]*)"|<([^>]*)>)/.exec(argument) ?? [];
      const path = quoted ?? descriptor;
      // The engine itself looks at the machine now and then. The table of mounts is read once in a scan.
      return path === undefined || /^\/sys\/|^\/proc\/(?:self|\d+)\/mountinfo$/.test(path) ? [] : [{ name, path, line }];
    });
    const at = (marker: string): number => calls.findIndex(({ path }) => path === marker);
    const [begin, again, end] = [at('/scan-begins'), at('/scan-again'), at('/scan-ends')] as const;
    expect(begin).toBeGreaterThan(0);
    expect(again).toBeGreaterThan(begin);
    expect(end).toBeGreaterThan(again);
    return { first: calls.slice(begin + 1, again), second: calls.slice(again + 1, end) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('what a scan asks the kernel for', () => {
  let tree: Tree;
  let calls: ReturnType<typeof trace>;

  beforeAll(() => {
    const disks = Array.from({ length: DISKS }, (_, index) => [`vm${index}/disk`, { qcow2: { backingFile: `{instances}/_base/${SHA1}` } }]);
    tree = buildTree({
      [`_base/${SHA1}`]: {},
      ...Object.fromEntries(disks),
      'outside/disk': { qcow2: { backingFile: '/etc/hostname' } },
      'climbing/disk': { qcow2: { backingFile: '../../../../../../etc/hostname' } },
      'linked/link': { symlink: '/etc' },
      'linked/disk': { qcow2: { backingFile: 'link/hostname' } },
      'linked/disk.local': { symlink: '/etc/hostname' },
      'linked/disk.fifo': { fifo: true },
      [`_base/${'b'.repeat(40)}`]: { symlink: '/etc/hostname' },
      'based/disk': { qcow2: { backingFile: `../_base/${'b'.repeat(40)}` } },
      'away-link': { symlink: '/etc' },
    });
    for (let index = 0; index < FILES; index += 1) writeFileSync(tree.path(`_base/swap_${index}`), 'x');
    for (let index = 0; index < FILES; index += 1) writeFileSync(tree.path(`vm0/${'x'.repeat(60)}${index}`), '');
    calls = trace(tree.instancesPath);
  });
  afterAll(() => tree.cleanup());

  const opened = (list: readonly Call[]): readonly Call[] => list.filter(({ name }) => name.startsWith('open'));
  const reads = ({ name }: Call): boolean => /^p?read(?:64)?$/.test(name);
  /** Where an opened path leads: the kernel's own name for the descriptor that it gave, or the path where it gave none. */
  const target = ({ line, path }: Call): string => / = \d+<([^>]*)>/.exec(line)?.[1] ?? path;

  it('should open nothing outside the instances path', () => {
    const all = [...opened(calls.first), ...opened(calls.second)];
    expect(all.length).toBeGreaterThan(DISKS);
    expect(all.filter((call) => !`${target(call)}/`.startsWith(`${tree.instancesPath}/`) && !/ENOTDIR|ELOOP/.test(call.line))).toEqual([]);
    expect(all.filter(({ path }) => path.includes('/etc'))).toEqual([]);
  });

  it('should open nothing for writing, and files so that nothing can block or be followed', () => {
    const files = opened(calls.first).filter(({ line }) => !line.includes('O_DIRECTORY'));
    expect(files.length).toBeGreaterThan(DISKS);
    expect(files.filter(({ line }) => !line.includes('O_NOFOLLOW') || !line.includes('O_NONBLOCK'))).toEqual([]);
    expect(calls.first.filter(({ line }) => /O_WRONLY|O_RDWR|O_CREAT/.test(line))).toEqual([]);
    expect(
      calls.first.filter(({ name }) => /unlink|rename|mkdir|utime|chmod|chown|truncate|link$/.test(name) && name !== 'readlink'),
    ).toEqual([]);
  });

  it('should open each file of the base directory once, and then only look whether it has changed', () => {
    const base = `${tree.basePath}/swap_`;
    const first = opened(calls.first).filter(({ path }) => path.startsWith(base));
    expect(first.length).toBe(FILES);
    const second = calls.second.filter(({ path }) => path.startsWith(base));
    // By the scan of the base directory, by that of all images, and because a header names a file outside, which may be one of these.
    expect(second.length).toBe(3 * FILES);
    expect(new Set(second.map(({ name }) => name)).size).toBe(1);
  });

  it('should take five calls for a new disk: one to find it, one to open it, one to be sure, one to read it, one to close it', () => {
    const disk = tree.path('vm7/disk');
    const used = calls.first.filter(({ path, line }) => path === disk || line.includes(`<${disk}>`)).map(({ name }) => name);
    // strace was not asked for close.
    expect(used.length).toBe(4);
    expect(calls.first.filter((call) => reads(call) && call.path === disk).length).toBe(1);
  });

  it('should list a crowded instance directory bit by bit, so that no single call takes long', () => {
    const directory = tree.path('vm0');
    const listings = calls.first.flatMap(({ name, path }, index) => (name === 'getdents64' && path === directory ? [index] : []));
    const looks = calls.first.flatMap(({ path }, index) => (path.startsWith(`${directory}/x`) ? [index] : []));
    expect(looks.length).toBeGreaterThanOrEqual(FILES);
    expect(looks[0]).toBeLessThan(listings.at(-1) ?? 0);
  });

  it('should open no file and read no header when nothing has changed', () => {
    // What the host says of a disk that raises a question is asked again.
    const files = opened(calls.second).filter(({ line, path }) => !line.includes('O_DIRECTORY') && !path.endsWith('/disk.info'));
    expect(files).toEqual([]);
    expect(calls.second.filter((call) => reads(call) && call.path.startsWith(tree.instancesPath))).toEqual([]);
    const disk = tree.path('vm7/disk');
    expect(calls.second.filter(({ path }) => path === disk).length).toBe(1);
  });
});

/** All calls about files and descriptors of the second of two scans, but for those about the instances path itself, which are a few in all. */
function callsOfUnchangedScan(vms: number): number {
  const root = mkdtempSync(join(tmpdir(), 'basekeeper-'));
  try {
    const { instancesPath } = buildBenchTree(root, { files: 400, vms });
    const output = join(root, 'trace');
    const child = fileURLToPath(new URL('../../helpers/scan-child.ts', import.meta.url));
    const traced = 'trace=%file,read,pread64,close,getdents64,fstat,fstatfs,readlink';
    execFileSync('strace', ['-f', '-y', '-e', traced, '-o', output, process.execPath, child, instancesPath], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const text = readFileSync(output, 'utf8');
    const second = text.slice(text.indexOf('"/scan-again"'), text.indexOf('"/scan-ends"'));
    const isOther = (line: string): boolean => /"|</.test(line) && !['"', '>'].some((end) => line.includes(`${instancesPath}${end}`));
    // What strace shows in two lines was counted at the first. The engine itself looks at the machine now and then.
    return second.split('\n').filter((line) => isOther(line) && !/<anon_inode|\/mountinfo[">]|resumed>|"\/sys\//.test(line)).length;
  } finally {
    rmSync(root, { recursive: true });
  }
}

it('should take at most 5 calls for an instance directory with one unchanged disk and its base file', () => {
  const perDirectory = (callsOfUnchangedScan(220) - callsOfUnchangedScan(20)) / 200;
  // The directory before and after, and the disk: less is no look at all.
  expect(perDirectory).toBeGreaterThanOrEqual(3);
  expect(perDirectory).toBeLessThanOrEqual(5);
});
