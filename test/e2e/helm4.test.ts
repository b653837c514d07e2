import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree } from './lib/tree.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'helm-four');
const { kubectl, helm } = session;
const tree = new InstancesTree(join(access.sharedDirectory, 'helm4', 'instances'));
const options = helmOptions(tree.path);

beforeAll(async () => {
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
});

afterAll(async () => {
  await helm(4, 'uninstall', 'keeper', '--ignore-not-found', '--no-hooks');
  await kubectl('annotate', 'node', node, 'basekeeper.io/summary-');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
});

describe('Helm 4', () => {
  it('should install the chart, test it and upgrade it with the default update strategy', async () => {
    await helm(4, 'install', 'keeper', ...options, '--wait', '--timeout', '2m');
    const first = await session.readyAgent();
    expect(await helm(4, 'test', 'keeper', '--timeout', '1m')).toMatch(/Phase:\s+Succeeded/);
    await helm(4, 'upgrade', 'keeper', ...options, '--set', 'config.mode=enforce', '--wait', '--timeout', '2m');
    expect((await session.readyAgent()).metadata.uid).not.toBe(first.metadata.uid);
  });

  it('should warn in its notes when the namespace admits no host paths', async () => {
    await kubectl('label', 'namespace', session.namespace, '--overwrite', 'pod-security.kubernetes.io/enforce=baseline');
    const notes = await helm(4, 'upgrade', 'keeper', ...options);
    expect(notes).toContain('WARNING: namespace helm-four refuses pods that mount host paths');
    await kubectl('label', 'namespace', session.namespace, '--overwrite', 'pod-security.kubernetes.io/enforce=privileged');
  });

  it('should uninstall although the clean-up hook cannot even start', async () => {
    await helm(4, 'upgrade', 'keeper', ...options, '--set', 'image.tag=gone', '--set', 'cleanup.activeDeadlineSeconds=5');
    await kubectl('annotate', 'node', node, '--overwrite', 'basekeeper.io/summary=left behind');
    await expect(helm(4, 'uninstall', 'keeper', '--timeout', '1m')).rejects.toThrow('keeper-cleanup');
    expect(JSON.parse(await helm(4, 'list', '--output', 'json'))).toEqual([]);
    const left = await kubectl(
      'get',
      'daemonsets,jobs,serviceaccounts,configmaps,clusterroles,clusterrolebindings',
      '--all-namespaces',
      '--selector',
      'app.kubernetes.io/instance=keeper',
      '--output',
      'name',
    );
    expect(left.trim()).toBe('');
    expect(await session.annotationsOf(node)).toHaveProperty(['basekeeper.io/summary'], 'left behind');
  });

  it('should install again after that, and then uninstall with nothing left on the node', async () => {
    await helm(4, 'install', 'keeper', ...options, '--wait', '--timeout', '2m');
    await helm(4, 'uninstall', 'keeper', '--wait', '--timeout', '2m');
    expect(Object.keys(await session.annotationsOf(node)).filter((key) => key.startsWith('basekeeper.io/'))).toEqual([]);
  });
});
