import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../scripts/lib/free-port.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { basekeeper, startBasekeeper } from '../helpers/basekeeper.ts';
import { buildTree, DAY, type Tree } from '../helpers/tree.ts';

let tree: Tree;
let config: string;

beforeEach(async () => {
  const old = { ageSeconds: 3 * DAY, content: 'x'.repeat(70_000) };
  tree = buildTree({
    [`_base/${cacheFileName('unused')}`]: old,
    [`_base/${cacheFileName('backing')}`]: old,
    [`_base/.basekeeper-trash/${cacheFileName('trashed')}.1`]: old,
    'vm-1/disk': { qcow2: { backingFile: `{instances}/_base/${cacheFileName('backing')}`, backingFormat: 'raw' }, ageSeconds: 3 * DAY },
    'vm-1/disk.info': { content: '{}', ageSeconds: 3 * DAY },
    compute_nodes: { content: JSON.stringify({ n1: Date.now() / 1000 }), ageSeconds: 3 * DAY },
  });
  writeFileSync(tree.path('../w.yaml'), 'workloads: [{name: vm-1, imageRef: other}]\n');
  config = tree.path('../c.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      instancesPath: tree.instancesPath,
      nodeName: 'n1',
      mode: 'dry-run',
      jitterSeconds: 0,
      http: { address: '127.0.0.1', port: await freePort() },
      sources: { pods: { enabled: false }, virtualMachineInstances: { enabled: false }, file: { path: tree.path('../w.yaml') } },
      sharedStorage: { enabled: true },
      trash: { enabled: true },
      verify: { enabled: true, checksums: { enabled: true } },
      annotations: false,
      events: false,
    }),
  );
  // Long before what relatime leaves alone.
  execFileSync('find', [tree.instancesPath, '-exec', 'touch', '-a', '-d', '5 days ago', '{}', '+']);
});
afterEach(() => tree.cleanup());

/** Every name below the instances path with all that a stat says of it. */
function everything(): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const visit = (path: string): void => {
    const stats = lstatSync(path, { bigint: true });
    const { mode, uid, gid, nlink, size, ino, mtimeNs, ctimeNs, atimeNs } = stats;
    // To list a directory is to access it; see docs/safety.md.
    found[relative(tree.instancesPath, path)] = [
      mode,
      uid,
      gid,
      nlink,
      size,
      ino,
      mtimeNs,
      ctimeNs,
      stats.isDirectory() ? 0n : atimeNs,
    ].join(' ');
    if (stats.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(tree.instancesPath);
  return found;
}

describe('a dry run', () => {
  it.each([
    ['plan', '--config'],
    ['pass', '--dry-run', '--config'],
  ])('should leave no file, no lock and no time changed: %s', async (...args) => {
    const before = everything();
    const { code, stdout } = await basekeeper([...args, config]);
    expect([0, 3]).toContain(code);
    expect(stdout).toContain(cacheFileName('unused').slice(0, 8));
    expect(everything()).toEqual(before);
  });

  it('should take Nova\u2019s lock on the registry where it is there, and make it nowhere', async () => {
    tree.add({ 'locks/nova-storage-registry-lock': { content: '', ageSeconds: 5 * DAY } });
    const before = everything();
    await basekeeper(['plan', '--config', config]);
    expect(everything()).toEqual(before);
  });
});

describe('an agent in the mode dry-run', () => {
  it('should write who it is where the directory is shared, and nothing else', async () => {
    const before = Object.keys(everything());
    const { child, ended, stderr } = startBasekeeper(['agent', '--config', config]);
    await vi.waitFor(() => expect(stderr()).toMatch(/DryRun|Held/), { timeout: 60_000 });
    await vi.waitFor(() => expect(readdirSync(tree.path('locks'))).toContain('basekeeper-host-n1.json'), { timeout: 60_000 });
    child.kill('SIGTERM');
    await ended;
    const made = Object.keys(everything()).filter((name) => !before.includes(name));
    expect(made.toSorted()).toEqual([
      'locks',
      'locks/basekeeper-host-n1.json',
      'locks/basekeeper-hosts.json',
      'locks/nova-storage-registry-lock',
    ]);
  });

  it('should write nothing where the directory is its own', async () => {
    rmSync(tree.path('compute_nodes'));
    writeFileSync(
      config,
      JSON.stringify({ ...(JSON.parse(execFileSync('cat', [config], { encoding: 'utf8' })) as object), sharedStorage: {} }),
    );
    const before = everything();
    const { child, ended, stderr } = startBasekeeper(['agent', '--config', config]);
    await vi.waitFor(() => expect(stderr()).toMatch(/DryRun|Held/), { timeout: 60_000 });
    child.kill('SIGTERM');
    await ended;
    expect(everything()).toEqual(before);
  });
});
