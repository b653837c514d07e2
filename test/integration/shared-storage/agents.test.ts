import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { basekeeper } from '../../helpers/basekeeper.ts';
import { NOBODY } from '../../helpers/execute-tree.ts';
import { PATIENTLY, removedBy, sharedHost, sharedTree, startAgent, untilHeld } from '../../helpers/shared-agents.ts';
import { DAY, type Tree } from '../../helpers/tree.ts';

const NOVA = fileURLToPath(new URL('../../helpers/nova-registry.py', import.meta.url));
const sha1 = (image: string): string => createHash('sha1').update(image).digest('hex');
const OLD = { content: 'base', ageSeconds: 3 * DAY };
const vm = (name: string, imageRef?: string): object => ({ name, imageRef });

function register(tree: Tree, hosts: Readonly<Record<string, number>>): void {
  writeFileSync(tree.path('compute_nodes'), JSON.stringify(hosts));
}

const seconds = (ago = 0): number => Date.now() / 1000 - ago;
const names = ['host-a', 'host-b', 'host-c'] as const;

describe('agents on hosts that share a directory', () => {
  it('should remove each unused file once, and none that any host uses, while Nova registers beside them', async () => {
    const unused = Array.from({ length: 12 }, (_, number) => sha1(`unused-${number}`));
    const used = names.map((name) => sha1(`image-of-${name}`));
    const [overlaid, pinned] = [sha1('of an overlay'), sha1('pinned elsewhere')];
    const files = [...unused, ...used, overlaid, pinned, 'swap_512'];
    const tree = sharedTree({
      ...Object.fromEntries(files.map((file) => [`_base/${file}`, OLD])),
      'instance-7/disk': { qcow2: { backingFile: `{instances}/_base/${overlaid}` } },
    });
    const novaHost = { sharedStorage: { ignoredHosts: ['nova-host'] } };
    const hosts = names.map((name) =>
      sharedHost(tree, name, name === 'host-c' ? { ...novaHost, pins: { imageRefs: ['pinned elsewhere'] } } : novaHost),
    );
    hosts.forEach((host, index) =>
      host.workloads([{ ...vm(`vm-${index}`, `image-of-${names[index]}`), ...(index === 1 ? { swapMb: [512] } : {}) }]),
    );
    // As if they had been there for long: each must be heard before anything goes.
    register(tree, Object.fromEntries(names.map((name) => [name, seconds()])));
    const nova = promisify(execFile)('/usr/bin/python3', [NOVA, tree.instancesPath, 'register', 'nova-host', '200']);
    const agents = hosts.map((host) => startAgent(host));
    await vi.waitFor(() => expect(unused.filter((file) => existsSync(tree.path(`_base/${file}`)))).toEqual([]), PATIENTLY);
    await nova;
    // Before SIGTERM: a pass that is stopped says so.
    const failures = agents.flatMap((agent) => agent.log().filter(({ msg, result }) => /could not/.test(msg) || result === 'Failed'));
    for (const agent of agents) agent.child.kill('SIGTERM');
    const ended = await Promise.all(agents.map((agent) => agent.ended));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(readdirSync(tree.basePath).toSorted()).toEqual([...used, overlaid, pinned, 'swap_512'].toSorted());
    expect(agents.flatMap(removedBy).toSorted()).toEqual(unused.toSorted());
    expect(failures).toEqual([]);
    expect(Object.keys(JSON.parse(readFileSync(tree.path('compute_nodes'), 'utf8')) as object).toSorted()).toEqual([...names, 'nova-host']);
  });

  it('should hold while a host is there whose workloads are unknown, until it is forgotten', async () => {
    const tree = sharedTree({ [`_base/${sha1('unused')}`]: OLD });
    register(tree, { 'host-x': seconds() });
    const host = sharedHost(tree, 'host-a');
    host.workloads([vm('vm-1')]);
    const agent = startAgent(host);
    await untilHeld(agent, 'HostWorkloadsUnknown', 'host "host-x": it has not reported: does an agent run there?');
    const listed = await basekeeper(['hosts', '--config', host.configPath, '--forget', 'host-x']);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toMatch(/^HOST .*\nhost-a +own +\S+Z\n$/);
    await vi.waitFor(() => expect(removedBy(agent)).toEqual([sha1('unused')]), PATIENTLY);
  });

  it('should hold for a host that was silent for a day, and for a broken registry, and go on when that is fixed', async () => {
    const tree = sharedTree({ [`_base/${sha1('unused')}`]: OLD });
    register(tree, { 'host-x': seconds(DAY + 60) });
    const host = sharedHost(tree, 'host-a');
    host.workloads([vm('vm-1')]);
    const agent = startAgent(host);
    await untilHeld(agent, 'HostStale', 'host "host-x": it has not registered for 86');
    writeFileSync(tree.path('compute_nodes'), '');
    await untilHeld(agent, 'StorageRegistryBroken', 'compute_nodes: it is empty; write {} into it');
    expect(existsSync(tree.path(`_base/${sha1('unused')}`))).toBe(true);
    writeFileSync(tree.path('compute_nodes'), '{}');
    await untilHeld(agent, 'HostStale', 'host "host-x"');
    expect(await basekeeper(['hosts', '--config', host.configPath, '--forget', 'host-x'])).toMatchObject({ code: 0 });
    await vi.waitFor(() => expect(removedBy(agent)).toEqual([sha1('unused')]), PATIENTLY);
  });

  it("should take Nova's word, where the preset says so, that a host that was silent for a day is gone", async () => {
    const tree = sharedTree({ [`_base/${sha1('unused')}`]: OLD });
    register(tree, { 'host-x': seconds(DAY + 60) });
    const host = sharedHost(tree, 'host-a', { preset: 'nova' });
    const { code, stdout } = await basekeeper(['pass', '--config', host.configPath]);
    expect(code, stdout).toBe(0);
    expect(readdirSync(tree.basePath)).toEqual([]);
  });

  it('should hold for a host that says itself that its evidence is not complete', async () => {
    const tree = sharedTree({ [`_base/${sha1('unused')}`]: OLD });
    const [healthy, blind] = [sharedHost(tree, 'host-a'), sharedHost(tree, 'host-b', { mode: 'dry-run' })];
    healthy.workloads([vm('vm-1')]);
    writeFileSync(blind.configPath.replace('config.yaml', 'workloads.yaml'), 'workloads: [');
    const other = startAgent(blind);
    await vi.waitFor(() => expect(existsSync(tree.path('locks/basekeeper-host-host-b.json'))).toBe(true), PATIENTLY);
    const held = await basekeeper(['pass', '--config', healthy.configPath]);
    expect(held.code, held.stdout).toBe(3);
    expect(held.stdout.replaceAll(/\s+/g, ' ')).toContain('host "host-b": its own evidence is incomplete: source file is failed');
    blind.workloads([vm('vm-2', 'unused')]);
    await vi.waitFor(async () => {
      const kept = await basekeeper(['pass', '--config', healthy.configPath]);
      expect(kept.code, kept.stdout).toBe(0);
      expect(kept.stdout).toContain('vm-2 on host host-b');
    }, PATIENTLY);
    expect(removedBy(other)).toEqual([]);
    expect(existsSync(tree.path(`_base/${sha1('unused')}`))).toBe(true);
  });

  it('should wait for the others to register when it is the first', async () => {
    const tree = sharedTree({ [`_base/${sha1('used by a host that starts later')}`]: OLD });
    const host = sharedHost(tree, 'host-a', { sharedStorage: { settleSeconds: 3600 } });
    host.workloads([vm('vm-1')]);
    for (const _ of ['first', 'second']) {
      const held = await basekeeper(['pass', '--config', host.configPath]);
      expect(held.code, held.stdout).toBe(3);
      expect(held.stdout).toMatch(/HostsUnsettled: the first agent registered only a while ago/);
    }
    const memory = JSON.parse(readFileSync(tree.path('locks/basekeeper-hosts.json'), 'utf8')) as { since: number };
    writeFileSync(tree.path('locks/basekeeper-hosts.json'), JSON.stringify({ ...memory, since: memory.since - 3600 }));
    expect((await basekeeper(['pass', '--config', host.configPath])).code).toBe(0);
    expect(readdirSync(tree.basePath)).toEqual([]);
  });

  it('should only warn where it may not touch what is in use, as on NFS, and remove what it may', async () => {
    const [used, unused] = [sha1('in use'), sha1('unused')];
    const tree = sharedTree({
      [`_base/${used}`]: OLD,
      [`_base/${unused}`]: OLD,
      'instance-7/disk': { qcow2: { backingFile: `{instances}/_base/${used}` } },
    });
    const host = sharedHost(tree, 'host-a');
    host.workloads([vm('vm-1', 'in use')]);
    // The directories are the agent's, what is in use is root's; to ask for QEMU's locks, a file must be writable.
    chmodSync(tree.path(`_base/${unused}`), 0o666);
    for (const path of [tree.instancesPath, tree.basePath, tree.path('locks')]) chownSync(path, NOBODY, NOBODY);
    const before = statSync(tree.path(`_base/${used}`)).mtimeMs;
    const agent = startAgent(host, {}, NOBODY);
    await vi.waitFor(() => expect(removedBy(agent)).toEqual([unused]), PATIENTLY);
    const warned = agent.log().find(({ file }) => file === used);
    expect(warned).toMatchObject({
      level: 'warn',
      outcome: 'TouchFailed',
      msg: 'the modification time of a base file in use could not be set',
    });
    expect(warned?.reason).toMatch(/EACCES|EPERM/);
    expect(agent.log().filter(({ level, result }) => level === 'error' || result === 'Failed')).toEqual([]);
    expect(statSync(tree.path(`_base/${used}`)).mtimeMs).toBe(before);
  });

  it('should find a registry that was made for it, as for the pods of a node where Nova has made none', async () => {
    const tree = sharedTree({ [`_base/${sha1('unused')}`]: OLD });
    const host = sharedHost(tree, 'host-a');
    const prepared = await basekeeper(['prepare', '--config', host.configPath]);
    expect(prepared.stdout).toContain(`${tree.path('compute_nodes')} was missing and has been made\n`);
    expect(Object.keys(JSON.parse(readFileSync(tree.path('compute_nodes'), 'utf8')) as object)).toEqual(['host-a']);
    expect((await basekeeper(['prepare', '--config', host.configPath])).stdout).toContain('compute_nodes is there\n');
    writeFileSync(tree.path('compute_nodes'), '');
    const broken = await basekeeper(['prepare', '--config', host.configPath]);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain('host "host-a" could not be registered');
  });

  it('should change nothing on disk for a plan', async () => {
    const tree = sharedTree({ [`_base/${sha1('unused')}`]: OLD });
    register(tree, { 'host-x': seconds() });
    const host = sharedHost(tree, 'host-a');
    host.workloads([vm('vm-1')]);
    const before = readFileSync(tree.path('compute_nodes'), 'utf8');
    expect((await basekeeper(['plan', '--config', host.configPath])).stdout).toContain('HostWorkloadsUnknown');
    expect(readFileSync(tree.path('compute_nodes'), 'utf8')).toBe(before);
    expect(readdirSync(tree.path('locks'))).toEqual([]);
  });
});
