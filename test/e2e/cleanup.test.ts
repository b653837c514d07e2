import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { until } from '../../scripts/lib/until.ts';
import { PATCH_NODE } from './lib/agent-scripts.ts';
import { createSession, helmOptions, type KubeObject } from './lib/session.ts';
import { InstancesTree } from './lib/tree.ts';
import { podWithToken } from './lib/workloads.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-cleanup-rights');
const { kubectl, helm, apply } = session;
const ACCOUNT = 'basekeeper-cleanup';
const HOLDER = 'holder';

interface Hook extends KubeObject {
  readonly kind: string;
}

/** What the chart makes for the job after an uninstall, without the job. */
async function rightsOfTheJob(): Promise<readonly Hook[]> {
  const hooks = parseAllDocuments(await helm(3, 'get', 'hooks', 'basekeeper')).map((document) => document.toJS() as Hook | null);
  return hooks.filter((hook) => hook?.metadata.name.endsWith('-cleanup') === true && hook.kind !== 'Job') as readonly Hook[];
}

/** What the API server answers to a pod that holds the account's token. */
const patch = async (target: string, change: object): Promise<string> =>
  session.runInPod(session.namespace, HOLDER, PATCH_NODE, target, JSON.stringify(change));

const annotate = (annotations: Readonly<Record<string, string | null>>): object => ({ metadata: { annotations } });

beforeAll(async () => {
  await kubectl('create', 'namespace', session.namespace);
  const tree = new InstancesTree(join(access.sharedDirectory, 'cleanup', 'instances'));
  // The agent leaves the node's annotations to this test.
  await helm(3, 'install', 'basekeeper', ...helmOptions(tree.path), '--set', 'config.annotations=false');
  const rights = await rightsOfTheJob();
  expect(rights.map(({ kind }) => kind).toSorted()).toEqual([
    'ClusterRole',
    'ClusterRoleBinding',
    'ServiceAccount',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
  ]);
  await apply(...rights);
  await apply(podWithToken({ namespace: session.namespace, name: HOLDER, node, account: ACCOUNT }));
  await kubectl('--namespace', session.namespace, 'wait', '--for=condition=Ready', '--timeout=60s', `pod/${HOLDER}`);
});

afterAll(async () => {
  await kubectl('annotate', 'node', node, 'example.org/of-another-', 'basekeeper.io/summary-');
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
});

describe('anyone who holds the token of the clean-up job', () => {
  it('should be refused all that its role would let it write, but the removal of our annotations', async () => {
    await kubectl('annotate', 'node', node, '--overwrite', 'example.org/of-another=mine', 'basekeeper.io/summary=ours');
    const spoil = annotate({ 'example.org/of-another': null });
    // A policy acts some seconds after it was made.
    await until('the policy to act', 30_000, async () =>
      (await patch(node, { ...spoil, spec: { unschedulable: false } })).startsWith('200') ? undefined : true,
    );
    await kubectl('annotate', 'node', node, '--overwrite', 'example.org/of-another=mine');
    for (const change of [
      spoil,
      annotate({ 'basekeeper.io/summary': 'forged' }),
      annotate({ 'basekeeper.io/mode': 'enforce' }),
      { metadata: { labels: { forged: 'yes' } } },
      { spec: { unschedulable: true } },
      { spec: { taints: [{ key: 'forged', effect: 'NoExecute' }] } },
    ])
      expect(await patch(node, change)).toMatch(/^(403|422) .*Basekeeper's clean-up/);
    expect(await session.annotationsOf(node)).toMatchObject({ 'example.org/of-another': 'mine', 'basekeeper.io/summary': 'ours' });
    expect(await patch(node, annotate({ 'basekeeper.io/summary': null }))).toMatch(/^200 /);
    expect(await session.annotationsOf(node)).not.toHaveProperty(['basekeeper.io/summary']);
  });
});
