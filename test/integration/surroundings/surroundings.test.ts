import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SettingsInput } from '../../../src/config/schema/schema.ts';
import type { Report } from '../../../src/model/report.ts';
import { sharedTypeName } from '../../../src/disk/network-filesystem.ts';
import { passOnTree } from '../../helpers/pass-on-tree.ts';
import { PATIENTLY, sharedHost, startAgent } from '../../helpers/shared-agents.ts';
import { buildTree, DAY, type Tree } from '../../helpers/tree.ts';

const UNUSED = '0d5e6b61602d758984b3bf038267614d6016eb2a';

let tree: Tree;
let mounted: string[] = [];

beforeEach(() => {
  tree = buildTree({
    [`_base/${UNUSED}`]: { ageSeconds: 3 * DAY },
    locks: { directory: true },
    '../w.yaml': { content: 'workloads: [{name: vm}]\n' },
  });
});
afterEach(() => {
  for (const path of mounted.toReversed()) execFileSync('umount', ['-l', path]);
  mounted = [];
  tree.cleanup();
});

/** Mounting needs root, as CI and the test set-up have it. */
function mount(path: string, ...options: readonly string[]): void {
  execFileSync('mount', [...options, path]);
  mounted.push(path);
}

function pass(settings: SettingsInput = {}): Promise<Report> {
  return passOnTree(tree, { workloads: tree.path('../w.yaml'), settings, dryRun: false });
}

function gateOf({ gate }: Report): string[] {
  return gate.reasons.map(({ reason }) => reason);
}

describe('the directories of a pass', () => {
  it('should hold removals where another directory is mounted as _base, and lose no file of it', async () => {
    tree.add({ [`../victim/${UNUSED}`]: { ageSeconds: 3 * DAY } });
    mount(tree.basePath, '--bind', tree.path('../victim'));
    const report = await pass();
    expect(gateOf(report)).toEqual(['DirectoryMismatch']);
    expect(report.gate.reasons[0]?.message).toMatch(/_base: ".*\/victim" is mounted there, another directory/);
    expect(existsSync(tree.path(`../victim/${UNUSED}`))).toBe(true);
  });

  it('should hold removals where another directory is mounted as locks', async () => {
    mkdirSync(tree.path('../elsewhere'));
    mount(tree.path('locks'), '--bind', tree.path('../elsewhere'));
    expect(gateOf(await pass())).toEqual(['DirectoryMismatch']);
  });

  it('should be given nothing where another directory is mounted as locks: no lock, no report, no copy of the registry', async () => {
    mkdirSync(tree.path('../elsewhere'));
    mount(tree.path('locks'), '--bind', tree.path('../elsewhere'));
    const report = await pass({ sharedStorage: { enabled: true, settleSeconds: 0 } });
    expect(gateOf(report)).toEqual(expect.arrayContaining(['DirectoryMismatch', 'StorageRegistryBroken']));
    expect(JSON.stringify(report.gate)).toMatch(/could not be registered: .*elsewhere.* is mounted there/);
    expect(readdirSync(tree.path('../elsewhere'))).toEqual([]);
  });

  it('should get no report of an agent, either', async () => {
    mkdirSync(tree.path('../elsewhere'));
    mount(tree.path('locks'), '--bind', tree.path('../elsewhere'));
    const agent = startAgent(sharedHost(tree, 'host-a'));
    await vi.waitFor(
      () => expect(agent.log().map(({ msg }) => msg)).toContain('the report of host "host-a" could not be written'),
      PATIENTLY,
    );
    expect(readdirSync(tree.path('../elsewhere'))).toEqual([]);
  });

  it('should hold removals where locksPath is another directory than the one that Nova locks in', async () => {
    mkdirSync(tree.path('../elsewhere'));
    const report = await pass({ locksPath: tree.path('../elsewhere') });
    expect(gateOf(report)).toEqual(['DirectoryMismatch']);
    expect(report.gate.reasons[0]?.message).toMatch(/where Nova takes its locks; correct locksPath/);
  });

  it('should let removals go on where the directories themselves are mounted, as the chart mounts them, or a file system of their own', async () => {
    mount(tree.instancesPath, '--rbind', tree.instancesPath);
    mount(tree.basePath, '--bind', tree.basePath);
    mount(tree.path('locks'), '--bind', tree.path('locks'));
    const linked = tree.path('../same-locks');
    mkdirSync(linked);
    mount(linked, '--bind', tree.path('locks'));
    expect(gateOf(await pass({ locksPath: linked }))).toEqual([]);
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(false);

    mount(tree.basePath, '-t', 'tmpfs', '-o', 'mode=755', 'basekeeper-test');
    expect(gateOf(await pass())).toEqual(['DirectoryMismatch']);
  });

  it('should let removals go on where the base directory is a file system of its own', async () => {
    mount(tree.basePath, '-t', 'tmpfs', '-o', 'mode=755', 'basekeeper-test');
    tree.add({ [`_base/${UNUSED}`]: { ageSeconds: 3 * DAY } });
    expect(gateOf(await pass())).toEqual([]);
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(false);
  });
});

describe('other hosts while sharedStorage is off', () => {
  const registry = (hosts: Record<string, number>) => writeFileSync(tree.path('compute_nodes'), JSON.stringify(hosts));
  const now = () => Date.now() / 1000;

  it('should hold removals where compute_nodes names another host, and say what to set', async () => {
    registry({ 'node-1': now(), 'host-b': now() });
    const report = await pass();
    expect(gateOf(report)).toEqual(['SharedUndeclared']);
    expect(report.gate.reasons[0]?.message).toMatch(/names other hosts.*"host-b".*sharedStorage.enabled: true.*sharedStorage.alone: true/);
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(true);
  });

  it('should hold removals while compute_nodes cannot be understood', async () => {
    writeFileSync(tree.path('compute_nodes'), '{"host-b": ');
    expect(gateOf(await pass())).toEqual(['SharedUndeclared']);
  });

  it.each([
    ['this host, with its domain', () => ({ 'node-1.example.org': now() })],
    ['this machine', () => ({ [hostname()]: now() })],
    ['a host that has not registered for a day', () => ({ 'host-b': now() - 1.1 * DAY })],
    ['nobody', () => ({})],
  ])('should let removals go on where compute_nodes names %s', async (_, hosts) => {
    registry(hosts());
    expect(gateOf(await pass())).toEqual([]);
    expect(existsSync(tree.path(`_base/${UNUSED}`))).toBe(false);
  });

  it('should let removals go on where the configuration says that this host is alone', async () => {
    registry({ 'host-b': now() });
    expect(gateOf(await pass({ sharedStorage: { alone: true } }))).toEqual([]);
  });

  it('should know the file systems that several hosts can have mounted by their numbers, signed or not', () => {
    expect(
      [0x6969, 0xff534d42, 0xff534d42 - 2 ** 32, 0x00c36400, 0x65735546, 0x0bd00bd0, 0x7461636f, 0x01161970].map(sharedTypeName),
    ).not.toContain(undefined);
    // ext4, xfs, tmpfs, btrfs, overlay
    expect([0xef53, 0x58465342, 0x01021994, 0x9123683e, 0x794c7630].map(sharedTypeName)).toEqual(Array(5).fill(undefined));
  });
});
