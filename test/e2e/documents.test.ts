import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CHART } from '../../scripts/chart/generated.ts';
import { RUN_BY } from '../helpers/documents.ts';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree } from './lib/tree.ts';

const access = inject('cluster');
const session = createSession(access, 'basekeeper');
const tree = new InstancesTree(join(access.sharedDirectory, 'documents', 'instances'));

/** Commands of Helm that are given our image and our directory. */
const TAKES_VALUES: ReadonlySet<string | undefined> = new Set(['install', 'upgrade']);

/** Runs a command as it stands, but for the node's name, the image, the directory of instances, and the chart, which is that of this tree. */
async function run(command: string): Promise<string> {
  const [program, ...words] = command.split(' ').map((word) => (word === 'node-1' ? access.node : word));
  if (program === 'kubectl') return session.kubectl(...words);
  if (program === 'npm') return session.basekeeper(...words.slice(3));
  const ours = TAKES_VALUES.has(words[0]) ? helmOptions(tree.path).filter((option) => option !== CHART) : [];
  const published = /oci:\/\/REGISTRY\/charts\/basekeeper --version \S+/;
  return session.helm(3, ...words.join(' ').replace(published, CHART).split(' '), ...ours);
}

beforeAll(async () => {
  await tree.addBase({ name: 'swap_512' });
});
afterAll(async () => {
  await session.helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await session.kubectl('delete', 'namespace', 'basekeeper', '--ignore-not-found', '--timeout=60s');
});

describe('the commands of the documents, on a cluster', () => {
  it.each(RUN_BY.cluster)('should work: %s', async (command) => {
    expect(await run(command)).not.toBe('');
  });
});
