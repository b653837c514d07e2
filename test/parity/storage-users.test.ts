import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFileLocker } from '../../src/disk/locks/nova-lock.ts';
import { createStorageRegistry } from '../../src/shared-storage/registry.ts';
import { loadConfig } from '../../src/config/load.ts';
import { classifyHosts } from '../../src/shared-storage/hosts.ts';
import { makeTree, type Tree } from '../helpers/execute-tree.ts';

const NOVA = fileURLToPath(new URL('../helpers/nova-registry.py', import.meta.url));
const DAY = 86_400;
const REGISTRIES = 200;

/** Not at the very limit: the two ask at different times. */
const age = fc.oneof(
  fc.integer({ min: -1e6, max: DAY - 300 }),
  fc.integer({ min: DAY + 1, max: 1e9 }),
  fc.double({ min: 0, max: DAY - 300, noNaN: true }),
);
/** What may be a host's name: any other in the registry is refused, where Nova takes it for one (docs/nova-parity.md). */
const host = fc.oneof(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$/), fc.constantFrom('host-a', 'host-b', 'constructor'));
const anyRegistry = fc.array(fc.tuple(host, age), { maxLength: 6 });

/** As Python's json writes it, escapes and all. */
function registryText(hosts: readonly (readonly [string, number])[], nowSeconds: number): string {
  const entries = Object.fromEntries(hosts.map(([name, seconds]) => [name, nowSeconds - seconds]));
  return JSON.stringify(entries).replaceAll(/[\u007F-\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function ours({ instancesPath, locksPath }: Tree): Promise<string[]> {
  const { config } = loadConfig({ text: 'preset: nova\nnodeName: nobody-of-these\nsharedStorage: {enabled: true}\n' });
  if (config?.sharedStorage === undefined) throw new Error('the configuration has mistakes');
  const registry = createStorageRegistry({ instancesPath, locksPath, locker: createFileLocker({ locksPath }) });
  const { hosts, problem } = await registry.read();
  expect(problem).toBeUndefined();
  const counted = classifyHosts(hosts, config.sharedStorage, Date.now()).filter(({ state }) => state === 'member');
  return counted.map(({ name }) => name).toSorted();
}

describe("get_storage_users, Nova's answer to who shares the directory", () => {
  it(`should be ours with the preset nova, on ${REGISTRIES} random registries`, async () => {
    const registries = fc.sample(anyRegistry, { numRuns: REGISTRIES, seed: 20_261_126 });
    const trees = registries.map((hosts) => {
      const tree = makeTree();
      writeFileSync(join(tree.instancesPath, 'compute_nodes'), registryText(hosts, Date.now() / 1000));
      return tree;
    });
    const [first = '', ...rest] = trees.map(({ instancesPath }) => instancesPath);
    const { stdout } = await promisify(execFile)('/usr/bin/python3', [NOVA, first, 'users', ...rest], { maxBuffer: 2 ** 26 });
    const nova = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as string[]).toSorted());
    expect(nova).toHaveLength(REGISTRIES);
    for (const [index, tree] of trees.entries()) expect(await ours(tree), registries[index]?.join(' ')).toEqual(nova[index]);
    expect(nova.flat().length).toBeGreaterThan(REGISTRIES / 2);
  });
});
