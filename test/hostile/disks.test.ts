import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createOverlayScanner } from '../../src/overlays/overlay-scanner.ts';
import { qcow2Header } from '../helpers/qcow2-image.ts';
import { buildTree, type Tree, type TreeSpec } from '../helpers/tree.ts';

const BASE = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const NOBODY: ReadonlySet<string> = new Set();
const scan = async (tree: Tree) =>
  await createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' }).scan({
    instanceNames: NOBODY,
  });

/** Everything that a header can say to make a reader open something that it must not. */
const OUTWARD: readonly string[] = [
  '{instances}/../outside/secret',
  '../../outside/secret',
  '{instances}/vm0/../../outside/secret',
  'link/secret',
  '{instances}/vm0/link/secret',
  'file:{instances}/../outside/secret',
  'json:{"driver":"file","filename":"{instances}/../outside/secret"}',
  'json:{"file":{"driver":"qcow2","file.filename":"{instances}/../outside/secret"}}',
  'nbd+unix:///x?socket={instances}/../outside/socket',
  'fat:{instances}/../outside',
  'blkdebug::{instances}/../outside/secret',
  'fifo',
  '/dev/tty',
  '/proc/self/mem',
];

describe('hostile disks', () => {
  it('should lead to no open outside the tree, and to none of a FIFO', async () => {
    const disks = OUTWARD.flatMap((backingFile, index): [string, TreeSpec[string]][] => [
      [`vm${index}/disk`, { qcow2: { backingFile } }],
      [`vm${index}/disk.data`, { qcow2: { dataFile: backingFile, incompatibleFeatures: 4n } }],
    ]);
    using tree = buildTree({
      ...Object.fromEntries(disks),
      'vm0/link': { symlink: '{instances}/../outside' },
      'vm11/fifo': { fifo: true },
    });
    mkdirSync(tree.path('../outside'));
    writeFileSync(tree.path('../outside/secret'), qcow2Header({ backingFile: 'further' }));
    const trace = tree.path('../trace');
    const child = fileURLToPath(new URL('../helpers/scan-child.ts', import.meta.url));
    execFileSync('strace', ['-f', '-y', '-e', 'trace=open,openat,openat2,creat', '-o', trace, process.execPath, child, tree.instancesPath]);
    // With -y the kernel says itself what was opened.
    const opened = [...readFileSync(trace, 'utf8').matchAll(/ = \d+<([^>]*)>$/gm)].map(([, path]) => path ?? '');
    expect(opened.filter((path) => path.startsWith(`${tree.instancesPath}/vm`)).length).toBeGreaterThan(OUTWARD.length);
    expect(
      opened.filter((path) => path.includes('/outside') || path.endsWith('/fifo') || /^\/(?:dev\/tty|proc\/\d+\/mem)/.test(path)),
    ).toEqual([]);
  });

  it('should end in a cycle, and in a chain that is longer than any', async () => {
    const chain = Array.from({ length: 2000 }, (_, index): [string, TreeSpec[string]] => [
      `long/snap${index}`,
      { qcow2: { backingFile: `snap${index + 1}`, backingFormat: 'qcow2' } },
    ]);
    using tree = buildTree({
      ...Object.fromEntries(chain),
      'self/disk': { qcow2: { backingFile: 'disk', backingFormat: 'qcow2' } },
      'pair/disk': { qcow2: { backingFile: 'other', backingFormat: 'qcow2' } },
      'pair/other': { qcow2: { backingFile: 'disk', backingFormat: 'qcow2' } },
      'long/disk': { qcow2: { backingFile: 'snap0', backingFormat: 'qcow2' } },
    });
    const { overlays } = await scan(tree);
    const stateOf = (path: string): string | undefined => overlays.find((overlay) => overlay.path === path)?.state;
    expect(['self/disk', 'pair/disk', 'long/disk'].map(stateOf)).toEqual(['unreadable', 'unreadable', 'unreadable']);
    expect(Math.max(...overlays.map((overlay) => overlay.chain.length))).toBeLessThanOrEqual(32);
  });

  it('should cost no more memory than the header for a sparse terabyte that claims a name at its end', async () => {
    using tree = buildTree({ 'vm/disk': { qcow2: { backingFile: 'x', backingOffset: 60_000, backingBytes: 1023 } } });
    truncateSync(tree.path('vm/disk'), 2 ** 40);
    const before = process.memoryUsage.rss();
    const { overlays } = await scan(tree);
    expect(overlays[0]?.state).toBeDefined();
    expect(process.memoryUsage.rss() - before).toBeLessThan(32 * 2 ** 20);
  });
});

const CONTROL = '\u001b]0;owned\u0007\u001b[2J';
/** Control characters but the newline, and such as turn text around. */
const DECEIVING = /[[\p{Cc}\p{Cf}]--\n]/v;
/** As Latin-1, so that any bytes can be said. */
const HOSTILE_NAMES: readonly string[] = [
  'a\nb',
  'c\rd\te',
  CONTROL,
  `${BASE}\n`,
  `${BASE}_12\n`,
  'x'.repeat(255),
  '\u00ff\u00fe',
  `${'b'.repeat(39)}\u00ff`,
  '-rf',
  '$(touch owned)',
  '; rm -rf ..',
  '%s%n%x',
  '__proto__',
  'constructor',
  '<script>alert(1)<\u00a0script>',
  '\u00e2\u0080\u00aegnp.exe',
  ' ',
];

describe('hostile file names', () => {
  const CLI = fileURLToPath(new URL('../../src/bin/basekeeper.ts', import.meta.url));
  const run = (tree: Tree, ...args: string[]): { stdout: string; stderr: string; status: number | null } => {
    const options = { encoding: 'utf8', cwd: tree.instancesPath } as const;
    const files = ['--config', tree.path('../config.yaml'), '--workloads', tree.path('../workloads.yaml')];
    return spawnSync(process.execPath, [CLI, 'pass', ...files, '--instances-path', tree.instancesPath, ...args], options);
  };

  it('should neither be removed nor reach a terminal, a log or a report as they are', () => {
    using tree = buildTree({ '_base/keep': {}, [`_base/${BASE}`]: { ageSeconds: 3 * 86_400 } });
    writeFileSync(
      tree.path('../config.yaml'),
      'nodeName: node-a\nsources: {pods: {enabled: false}, virtualMachineInstances: {enabled: false}}\nannotations: false\nevents: false\n',
    );
    writeFileSync(tree.path('../workloads.yaml'), 'workloads: [{name: vm-1}]\n');
    const at = (...parts: string[]): Buffer =>
      Buffer.concat([Buffer.from(`${tree.instancesPath}/`), Buffer.from(parts.join('/'), 'latin1')]);
    const threeDaysAgo = Date.now() / 1000 - 3 * 86_400;
    for (const name of HOSTILE_NAMES) {
      writeFileSync(at('_base', name), '');
      utimesSync(at('_base', name), threeDaysAgo, threeDaysAgo);
      mkdirSync(at(name));
      writeFileSync(at(name, 'disk'), 'QFI\u00fb damaged', 'latin1');
    }
    const table = run(tree);
    const json = run(tree, '--output', 'json');
    // The damaged disks hold everything; without them only the one base file goes.
    expect([table.status, json.status]).toEqual([3, 3]);
    for (const output of [table.stdout, table.stderr, json.stdout, json.stderr]) expect(output).not.toMatch(DECEIVING);
    expect((JSON.parse(json.stdout) as { findings: unknown[] }).findings.length).toBeGreaterThanOrEqual(HOSTILE_NAMES.length);
    for (const name of HOSTILE_NAMES) rmSync(at(name), { recursive: true });
    const open = run(tree, '--output', 'json');
    expect([open.status, open.stderr]).toEqual([0, expect.any(String)]);
    expect(existsSync(tree.path(`_base/${BASE}`))).toBe(false);
    expect(HOSTILE_NAMES.filter((name) => !existsSync(at('_base', name)))).toEqual([]);
    expect(existsSync(tree.path('owned'))).toBe(false);
  });
});
