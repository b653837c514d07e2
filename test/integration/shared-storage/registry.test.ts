import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { createStorageRegistry } from '../../../src/shared-storage/registry.ts';
import { makeTree, startLockHolder, withoutPrivileges } from '../../helpers/execute-tree.ts';
import { inMountNamespace } from '../../helpers/mount-namespace.ts';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('../../helpers/registry-child.ts', import.meta.url));
const NOVA = fileURLToPath(new URL('../../helpers/nova-registry.py', import.meta.url));
const HOUR_MS = 3_600_000;

function open(instancesPath: string) {
  const locksPath = join(instancesPath, 'locks');
  return createStorageRegistry({ instancesPath, locksPath, locker: createFileLocker({ locksPath }) });
}

function setUp() {
  const { instancesPath, locksPath } = makeTree();
  const registryPath = join(instancesPath, 'compute_nodes');
  return { instancesPath, registryPath, memoryPath: join(locksPath, 'basekeeper-hosts.json'), registry: open(instancesPath) };
}

type Trees = ReturnType<typeof setUp>;

async function nova(instancesPath: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('/usr/bin/python3', [NOVA, instancesPath, ...args]);
  return stdout;
}

const hostsOf = async (instancesPath: string): Promise<string[]> => [...(await open(instancesPath).read()).hosts.keys()].toSorted();

describe("Nova's registry of hosts", () => {
  it('should be read by Nova as we wrote it, and by us as Nova did', async () => {
    const { instancesPath, registry, registryPath } = setUp();
    await registry.register('host-a', Date.now());
    await registry.register('host-old', Date.now() - 25 * HOUR_MS);
    const { ino } = statSync(registryPath);
    await nova(instancesPath, 'register', 'host-nova', '1');
    expect(JSON.parse(await nova(instancesPath, 'users'))).toEqual(['host-a', 'host-nova']);
    expect(await hostsOf(instancesPath)).toEqual(['host-a', 'host-nova', 'host-old']);
    await registry.register('host-b', Date.now());
    expect(statSync(registryPath).ino).toBe(ino);
    expect(Object.keys(JSON.parse(readFileSync(registryPath, 'utf8')) as object).toSorted()).toEqual([
      'host-a',
      'host-b',
      'host-nova',
      'host-old',
    ]);
  });

  it('should lose no host while several processes and the real Nova write it at once', async () => {
    const { instancesPath } = setUp();
    const ours = ['host-a', 'host-b', 'host-c'].map((host) => run(process.execPath, [CHILD, instancesPath, host, '60']));
    const theirs = ['nova-a', 'nova-b'].map((host) => nova(instancesPath, 'register', host, '60'));
    await Promise.all([...ours, ...theirs]);
    expect(await open(instancesPath).read()).toMatchObject({ problem: undefined });
    expect(await hostsOf(instancesPath)).toEqual(['host-a', 'host-b', 'host-c', 'nova-a', 'nova-b']);
    expect((JSON.parse(await nova(instancesPath, 'users')) as string[]).toSorted()).toEqual(await hostsOf(instancesPath));
    expect(readdirSync(join(instancesPath, 'locks')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('should remember the hosts that Nova forgets when it finds the file broken', async () => {
    const { instancesPath, registry, registryPath } = setUp();
    await registry.register('host-a', Date.now());
    writeFileSync(registryPath, '');
    const { problem } = await registry.read();
    expect(problem).toContain('it is empty; write {} into it');
    await nova(instancesPath, 'register', 'host-nova', '1');
    expect(Object.keys(JSON.parse(readFileSync(registryPath, 'utf8')) as object)).toEqual(['host-nova']);
    expect(await open(instancesPath).read()).toMatchObject({ problem: undefined });
    expect(await hostsOf(instancesPath)).toEqual(['host-a', 'host-nova']);
  });

  it('should complete what somebody died of writing', async () => {
    const { instancesPath, registry, registryPath, memoryPath } = setUp();
    await registry.register('host-a', Date.now());
    await registry.register('host-b', Date.now());
    const memory = JSON.parse(readFileSync(memoryPath, 'utf8')) as object;
    writeFileSync(memoryPath, JSON.stringify({ ...memory, pending: true }));
    writeFileSync(registryPath, readFileSync(registryPath, 'utf8').slice(0, 20));
    expect((await open(instancesPath).read()).problem).toContain('the next agent completes it');
    expect(await hostsOf(instancesPath)).toEqual(['host-a', 'host-b']);
    expect(await open(instancesPath).register('host-c', Date.now())).toBeUndefined();
    expect(await open(instancesPath).read()).toMatchObject({ problem: undefined });
    expect(Object.keys(JSON.parse(readFileSync(registryPath, 'utf8')) as object)).toEqual(['host-a', 'host-b', 'host-c']);
  });

  it('should never be found empty or shorter by anyone who dies at any system call of a registration', async () => {
    const { instancesPath, registry, registryPath } = setUp();
    await registry.register('host-with-a-long-name', Date.now());
    const calls = ['ftruncate:when=1', 'fsync:when=1', 'fsync:when=2', 'rename:when=1', 'rename:when=2'];
    for (const call of calls) {
      const inject = `--inject=${call.replace(':', ':signal=KILL:')}`;
      const child = run('strace', ['-f', '-o', '/dev/null', inject, process.execPath, CHILD, instancesPath, 'host-b', '1']);
      await expect(child, call).rejects.toThrow(/Command failed/);
      expect(readFileSync(registryPath, 'utf8'), call).toContain('host-with-a-long-name');
      expect(await hostsOf(instancesPath), call).toContain('host-with-a-long-name');
      expect(await open(instancesPath).register('host-c', Date.now()), call).toBeUndefined();
      expect(await open(instancesPath).read(), call).toMatchObject({ problem: undefined });
    }
  });

  it('should be written where only the file and the lock directory are, as in the chart', async () => {
    const { instancesPath, registryPath } = setUp();
    writeFileSync(registryPath, '{}');
    const script = `
      mount --bind "$1" "$1" && mount --bind "$1/locks" "$1/locks" && mount --bind "$1/compute_nodes" "$1/compute_nodes"
      mount -o remount,ro,bind "$1"
      ! touch "$1/elsewhere" 2> /dev/null
      "$2" "$3" "$1" host-a 2`;
    await inMountNamespace(script, [instancesPath, process.execPath, CHILD]);
    expect(await hostsOf(instancesPath)).toEqual(['host-a']);
  });

  it('should notice that the file it has mounted was replaced by another one', async () => {
    const { instancesPath, registryPath } = setUp();
    writeFileSync(registryPath, '{}');
    const script = `
      mkdir "$1/seen" && touch "$1/seen/compute_nodes" && mount --bind "$1/locks" "$1/seen" --bind
      touch "$1/seen/compute_nodes" && mount --bind "$1/compute_nodes" "$1/seen/compute_nodes"
      mkdir "$1/seen/locks"
      echo '{}' > "$1/new" && mv "$1/new" "$1/compute_nodes"
      "$2" "$3" "$1/seen" host-a 1`;
    const child = inMountNamespace(script, [instancesPath, process.execPath, CHILD]);
    await expect(child).rejects.toThrow(/replaced on the host.*restart the agent/);
  });

  it('should not be completed where something else stands in its place, whatever the memory says', async () => {
    const { instancesPath, registryPath, memoryPath } = setUp();
    const forged = { version: 1, pending: true, since: 1, hosts: {} };
    for (const name of ['host-a', '$(touch /tmp/x)']) {
      writeFileSync(memoryPath, JSON.stringify({ ...forged, hosts: { [name]: 1 } }));
      for (const text of ['# a profile\n', '{"host-b":1', '{"host-a":1 and more', '{}\n#!/bin/sh\n']) {
        writeFileSync(registryPath, text);
        expect(await open(instancesPath).register('host-c', Date.now()), text).toBeDefined();
        expect(readFileSync(registryPath, 'utf8')).toBe(text);
      }
    }
  });

  it('should be completed when what stands there is the end of a longer one that was not cut off', async () => {
    const { instancesPath, registryPath, memoryPath } = setUp();
    writeFileSync(memoryPath, '{"version":1,"pending":true,"since":1,"hosts":{"host-a":1}}');
    writeFileSync(registryPath, '{"host-a":1}b":12}');
    expect(await open(instancesPath).register('host-c', Date.now())).toBeUndefined();
    expect(await hostsOf(instancesPath)).toEqual(['host-a', 'host-c']);
  });

  it.each([
    ['another user’s', ({ registryPath }: Trees) => chownSync(registryPath, 1234, 1234), 'it belongs to user 1234'],
    ['everybody’s to write', ({ registryPath }: Trees) => chmodSync(registryPath, 0o666), 'every user of the node may write to it'],
    ['a file with a second name', ({ registryPath }: Trees) => linkSync(registryPath, `${registryPath}-2`), 'it has 2 names'],
    ['root’s in a directory of Nova’s', ({ instancesPath }: Trees) => chownSync(instancesPath, 42436, 42436), 'it belongs to user 0'],
    [
      'a memory of another user',
      ({ memoryPath }: Trees) => chownSync(memoryPath, 1234, 1234),
      'basekeeper-hosts.json: it belongs to user 1234',
    ],
  ])('should not be believed, nor written, when it is %s', async (_, change, expected) => {
    const trees = setUp();
    await trees.registry.register('host-a', Date.now());
    change(trees);
    const before = readFileSync(trees.registryPath, 'utf8');
    expect((await open(trees.instancesPath).read()).problem).toContain(expected);
    expect(await open(trees.instancesPath).register('host-b', Date.now())).toContain(expected);
    expect(readFileSync(trees.registryPath, 'utf8')).toBe(before);
  });

  it('should not be believed when another file system is mounted in its place', async () => {
    const { instancesPath, registryPath } = setUp();
    writeFileSync(registryPath, '{}');
    const script = 'mount --bind /dev/shm/"$4" "$1/compute_nodes" && "$2" "$3" "$1" host-a 1';
    const elsewhere = `basekeeper-${process.pid}`;
    writeFileSync(`/dev/shm/${elsewhere}`, '{}');
    onTestFinished(() => rmSync(`/dev/shm/${elsewhere}`));
    const child = inMountNamespace(script, [instancesPath, process.execPath, CHILD, elsewhere]);
    await expect(child).rejects.toThrow(/it is on another file system than its directory/);
    expect(readFileSync(`/dev/shm/${elsewhere}`, 'utf8')).toBe('{}');
  });

  it('should be reached through the lock directory that was opened, never through a link in its place', async () => {
    const { instancesPath, registry } = setUp();
    await registry.register('host-a', Date.now());
    renameSync(join(instancesPath, 'locks'), join(instancesPath, 'elsewhere'));
    symlinkSync('elsewhere', join(instancesPath, 'locks'));
    expect((await open(instancesPath).read()).problem).toMatch(/ELOOP|ENOTDIR/);
  });

  it.each(['', '-rf', 'a b', '$(id)', 'x'.repeat(256), 'a/b', 'a\nb'])('should take no host %j', async (name) => {
    const { instancesPath, registryPath, registry } = setUp();
    expect(await registry.register(name, Date.now())).toContain('is not a host name');
    writeFileSync(registryPath, JSON.stringify({ [name]: 1 }));
    expect((await open(instancesPath).read()).problem).toContain('is not a host name');
  });

  it('should be named while its lock is held by somebody for long, and not forget who is there', async () => {
    const { instancesPath, registry } = setUp();
    await registry.register('host-a', Date.now());
    const holder = startLockHolder();
    await holder.ask(`nova ${join(instancesPath, 'locks')} storage-registry-lock`);
    const { hosts, problem } = await registry.read();
    expect(problem).toContain('lock nova-storage-registry-lock was held by somebody else');
    expect([...hosts.keys()]).toEqual(['host-a']);
  });

  it('should be read without its lock as long as it has not changed, so that health checks make nobody wait', async () => {
    const { instancesPath, registry, registryPath } = setUp();
    await registry.register('host-a', Date.now());
    await registry.read();
    const holder = startLockHolder();
    await holder.ask(`nova ${join(instancesPath, 'locks')} storage-registry-lock`);
    expect(await registry.read()).toMatchObject({ problem: undefined });
    writeFileSync(registryPath, JSON.stringify({ 'host-a': 1, 'host-b': 2 }));
    expect((await registry.read()).problem).toContain('was held by somebody else');
  });

  it('should be named when it cannot be written, and stay what it is', async () => {
    const { instancesPath, registry, registryPath } = setUp();
    await registry.register('host-a', Date.now());
    chmodSync(instancesPath, 0o755);
    chmodSync(join(instancesPath, 'locks'), 0o777);
    chmodSync(join(instancesPath, 'locks/nova-storage-registry-lock'), 0o666);
    const problem = await withoutPrivileges(async () => await open(instancesPath).register('host-b', Date.now()));
    expect(problem).toContain(`${registryPath}: EACCES`);
    expect(Object.keys(JSON.parse(readFileSync(registryPath, 'utf8')) as object)).toEqual(['host-a']);
  });

  it.each([
    ['a number', '12', 'it is not an object of hosts and times'],
    ['a time that is text', '{"host-b": "now"}', 'the time of host "host-b" is not a number'],
    [
      'more hosts than there can be',
      JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`h${n}`, 1]))),
      'more than 4096',
    ],
    ['a host that is named twice', '{"host-b": 99, "host\\u002db": 1}', 'it names a host twice'],
    ['more than a megabyte', ' '.repeat(2 ** 21), 'EFBIG'],
  ])('should be named when it is broken: %s', async (_, text, expected) => {
    const { instancesPath, registryPath } = setUp();
    writeFileSync(registryPath, text);
    expect((await open(instancesPath).read()).problem).toContain(expected);
    expect(await open(instancesPath).register('host-a', Date.now())).toContain(expected);
    expect(readFileSync(registryPath, 'utf8')).toBe(text);
  });

  it('should not be written so that nobody can read it again, and say what to do', async () => {
    const { instancesPath, registryPath, memoryPath, registry } = setUp();
    await registry.register('host-a', Date.now());
    const hosts = (prefix: string, count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}${n}`, 1]));
    writeFileSync(registryPath, JSON.stringify({ ...hosts('h', 4096) }));
    const [before, memory] = [readFileSync(registryPath, 'utf8'), readFileSync(memoryPath, 'utf8')];
    expect(await open(instancesPath).register('host-b', Date.now())).toMatch(/it would have 4098 hosts.*no more than 4096.*--forget/);
    const long = 'x'.repeat(250);
    writeFileSync(registryPath, JSON.stringify(hosts(long, 4045)));
    expect(await open(instancesPath).register('host-b', Date.now())).toMatch(/it would have 4047 hosts.*1048576 bytes/);
    writeFileSync(registryPath, before);
    expect(readFileSync(memoryPath, 'utf8')).toBe(memory);
    expect((await open(instancesPath).read()).hosts.size).toBe(4097);
  });

  it('should be missed, and not completed, where what is remembered names a host twice', async () => {
    const { instancesPath, memoryPath, registry } = setUp();
    await registry.register('host-a', Date.now());
    const text = readFileSync(memoryPath, 'utf8').replace('"hosts":{', '"hosts":{"host-a":1,');
    writeFileSync(memoryPath, text);
    expect(await open(instancesPath).register('host-b', Date.now())).toContain('it names a host twice; remove it');
    expect(readFileSync(memoryPath, 'utf8')).toBe(text);
  });

  it('should follow no symbolic link and open no device', async () => {
    const { instancesPath, registryPath } = setUp();
    const elsewhere = join(instancesPath, 'elsewhere');
    writeFileSync(elsewhere, '{}');
    symlinkSync(elsewhere, registryPath);
    expect(await open(instancesPath).register('host-a', Date.now())).toContain('ELOOP');
    expect(readFileSync(elsewhere, 'utf8')).toBe('{}');
    rmSync(registryPath);
    await run('mkfifo', [registryPath]);
    expect((await open(instancesPath).read()).problem).toContain('is not a regular file');
  });

  it('should not be made where the instances path is not mounted', async () => {
    const { instancesPath } = setUp();
    renameSync(instancesPath, `${instancesPath}-gone`);
    expect(await open(instancesPath).register('host-a', Date.now())).toContain('ENOENT');
    expect(existsSync(instancesPath)).toBe(false);
    mkdirSync(instancesPath);
    rmSync(`${instancesPath}-gone`, { recursive: true });
  });
});
