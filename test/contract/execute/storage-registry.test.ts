import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { createStorageRegistry } from '../../../src/shared-storage/registry.ts';
import type { StorageRegistry } from '../../../src/model/ports.ts';
import { makeTree } from '../../helpers/execute-tree.ts';
import { memoryStorageRegistry } from '../../helpers/memory-registry.ts';

interface Subject {
  readonly registry: StorageRegistry;
  readonly breakDown: () => void;
}

function inMemory(): Subject {
  const registry = memoryStorageRegistry();
  return { registry, breakDown: () => registry.breakDown('it is not JSON') };
}

function onDisk(): Subject {
  const { instancesPath, locksPath } = makeTree();
  const registry = createStorageRegistry({ instancesPath, locksPath, locker: createFileLocker({ locksPath }) });
  return { registry, breakDown: () => writeFileSync(join(instancesPath, 'compute_nodes'), '{"host-a": 17') };
}

const NOW_MS = Date.parse('2026-11-26T12:00:00.250Z');

describe.each(Object.entries({ 'the twin in memory': inMemory, 'files on disk': onDisk }))('StorageRegistry: %s', (_, setUp) => {
  it('should know nobody at first', async () => {
    const { registry } = setUp();
    expect(await registry.read()).toEqual({ hosts: new Map(), problem: undefined });
  });

  it('should give each host with its last registration', async () => {
    const { registry } = setUp();
    expect(await registry.register('host-a', NOW_MS)).toBeUndefined();
    expect(await registry.register('host-b', NOW_MS + 1000)).toBeUndefined();
    expect(await registry.register('host-a', NOW_MS + 2000)).toBeUndefined();
    const { hosts, problem } = await registry.read();
    expect(problem).toBeUndefined();
    expect(hosts).toEqual(
      new Map([
        ['host-a', NOW_MS + 2000],
        ['host-b', NOW_MS + 1000],
      ]),
    );
  });

  it('should take a name that JavaScript has a meaning for as a name', async () => {
    const { registry } = setUp();
    await registry.register('__proto__', NOW_MS);
    expect([...(await registry.read()).hosts.keys()]).toEqual(['__proto__']);
  });

  it('should forget the host that it is told to, and say so when there is none', async () => {
    const { registry } = setUp();
    await registry.register('host-a', NOW_MS);
    await registry.register('host-b', NOW_MS);
    expect(await registry.forget('host-b')).toBeUndefined();
    expect([...(await registry.read()).hosts.keys()]).toEqual(['host-a']);
    expect(await registry.forget('host-b')).toBe('no host "host-b" is registered');
  });

  it('should name what is broken, remember who was there, and write nothing over it', async () => {
    const { registry, breakDown } = setUp();
    await registry.register('host-a', NOW_MS);
    breakDown();
    const reading = await registry.read();
    expect(reading.problem).toContain('it is not JSON');
    expect([...reading.hosts.keys()]).toEqual(['host-a']);
    expect(await registry.register('host-c', NOW_MS)).toContain('it is not JSON');
    expect(await registry.forget('host-a')).toContain('it is not JSON');
    expect([...(await registry.read()).hosts.keys()]).toEqual(['host-a']);
  });
});
