import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../../src/config/load.ts';
import type { WorkloadRule } from '../../../src/model/workload-rule.ts';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import type { KubeClient } from '../../../src/kube/types.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { WorkloadSource } from '../../../src/model/ports.ts';
import { createPodSource } from '../../../src/sources/pods/source.ts';
import { createRuleSource } from '../../../src/sources/rules/source.ts';
import { runCommandLine } from '../../helpers/command-line.ts';
import { POD_RULES, podObject } from '../../helpers/kube-objects.ts';
import { adminKubeConfig, asAdmin, deleteAsAdmin, installCrds, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';
import { SHORT, create, eventually } from '../../helpers/kube-sources.ts';

const CRD = fileURLToPath(new URL('../../fixtures/rules/virtualmachines.yaml', import.meta.url));
const DOCUMENT = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8');

interface Example {
  readonly title: string;
  readonly configText: string;
  readonly object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec?: object;
    readonly status?: object;
  };
}

/** Each section "Example: …" of docs/rules.md: a configuration, and an object that it is for. */
const EXAMPLES = DOCUMENT.split(/^## Example: /m)
  .slice(1)
  .map((section): Example => {
    const [configText = '', objectText = ''] = [...section.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text);
    return { title: section.split('\n')[0] ?? '', configText, object: parse(objectText) as Example['object'] };
  });

/** What each example must come to on node-1. */
const EXPECTED = [
  { images: [{ role: 'image', ref: 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0' }], instanceNames: ['5f0e2c9a', 'web-1'] },
  {
    images: [{ role: 'image', ref: '0c1f4a52-6d0b-4a57-9a52-0a8a4b1f0c11' }],
    instanceNames: ['db-0'],
    swapMb: [1024],
    paths: ['/var/lib/nova/instances/db-0'],
  },
  {
    images: [
      { role: 'image', ref: '7d3f2b10-52a8-4a3e-8f0e-58a1d1a5c6aa' },
      { role: 'kernel', ref: '11d2b1f2-3f0e-4c6e-9a55-6a1c2d3e4f50' },
    ],
    instanceNames: ['2b7e1516-28ae-4d2a-abf7-158809cf4f3c', 'build-7'],
    ephemeral: [{ sizeGb: 20 }],
  },
];

let server: KubeServer;
let client: KubeClient;
const running: WorkloadSource[] = [];

beforeAll(async () => {
  server = await startKubeServer();
  client = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'basekeeper/test', observe: () => undefined });
});
afterAll(async () => {
  await Promise.all(running.map((source) => source.stop()));
  client.close();
  await server.stop();
});

function configOf(text: string, nodeName: string) {
  const { config, errors } = loadConfig({ text, env: { NODE_NAME: nodeName } });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  return config;
}

function ruleSource(rule: WorkloadRule | undefined, nodeName = 'node-1'): WorkloadSource {
  if (rule === undefined) throw new Error('no rule');
  const source = createRuleSource({ rule, client, nodeName, clock: systemClock, random: Math.random, timing: SHORT });
  running.push(source);
  source.start();
  return source;
}

const started = (text: string, nodeName: string): WorkloadSource => ruleSource(configOf(text, nodeName).sources.rules[0], nodeName);
const collectionOf = ({ apiVersion, kind }: Example['object']): string =>
  `${apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`}/namespaces/default/${kind.toLowerCase()}s`;

/** As a controller writes it: where a kind has a status of its own, creating an object leaves it out. */
async function createExample({ object }: Example): Promise<void> {
  const created = (await asAdmin(server, 'POST', collectionOf(object), object)) as { metadata: object };
  if (object.status === undefined) return;
  const path = `${collectionOf(object)}/${object.metadata.name}/status`;
  await asAdmin(server, 'PUT', path, { ...object, metadata: created.metadata });
}

const namesOf = async (source: WorkloadSource): Promise<string[]> =>
  (await source.read({ consistent: true })).workloads.map(({ name }) => name);

describe('a rule whose kind does not exist', () => {
  it('should hold removals and say why, until the kind is installed', async () => {
    const source = started(EXAMPLES[2]?.configText ?? '', 'node-1');
    const { status } = await source.read({ consistent: true });
    expect(status).toMatchObject({
      name: 'rules/virtual-machines',
      state: 'failed',
      consistentListAtMs: undefined,
      message: 'the cluster has no vm.example.com/v1alpha1 VirtualMachine',
    });
    await installCrds(server, CRD);
    await eventually(async () => expect((await source.read({ consistent: false })).status.state).toBe('synced'));
  });
});

describe('docs/rules.md', () => {
  it('should have the three examples', () => {
    expect(EXAMPLES.map(({ title }) => title)).toHaveLength(EXPECTED.length);
  });

  it.each(EXAMPLES.map((example, index) => ({ ...example, example, expected: EXPECTED[index] })))(
    'should read on the real API server as it says: $title',
    async ({ example, configText, object, expected }) => {
      const [here, elsewhere] = [started(configText, 'node-1'), started(configText, 'node-9')];
      await createExample(example);
      const { status, workloads, gaps } = await here.read({ consistent: true });
      expect([status.state, status.message, gaps]).toEqual(['synced', undefined, []]);
      const [workload] = workloads;
      expect(workload).toMatchObject({ ...expected, instanceNames: expect.arrayContaining(expected?.instanceNames ?? []) });
      expect(workload?.object?.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(await namesOf(elsewhere)).toEqual([]);
      await deleteAsAdmin(server, `${collectionOf(object)}/${object.metadata.name}`);
      expect(await namesOf(here)).toEqual([]);
    },
  );

  it.each(EXAMPLES)('should be shown by test-rule: $title', async ({ configText, object }) => {
    const directory = mkdtempSync(join(tmpdir(), 'basekeeper-test-rule-'));
    try {
      writeFileSync(join(directory, 'config.yaml'), configText);
      writeFileSync(join(directory, 'object.yaml'), JSON.stringify(object));
      const paths = ['--config', join(directory, 'config.yaml'), '--object', join(directory, 'object.yaml')];
      const { code, stdout, stderr } = await runCommandLine(['config', 'test-rule', '--node', 'node-1', ...paths]);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/: a workload of this node\n(.*\n)* +image: [0-9a-f-]{36}\n(.*\n)* +base files: [0-9a-f]{40}/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('rules on a real API server', () => {
  const custom = (name: string, spec: object, status: object): Example => ({
    title: name,
    configText: '',
    object: { apiVersion: 'vm.example.com/v1alpha1', kind: 'VirtualMachine', metadata: { name }, spec, status },
  });

  it('should protect an object without a node on every node, and tell a wrong type as a gap of that object', async () => {
    const text = EXAMPLES[2]?.configText ?? '';
    const sources = [started(text, 'node-1'), started(text, 'node-2')];
    await createExample(custom('nowhere', { image: { id: 'image-n' } }, {}));
    await createExample(custom('wrong', { image: { id: ['image-w'] } }, { node: 'node-2' }));
    for (const source of sources) expect(await namesOf(source)).toContain('default/nowhere');
    const gapsOf = async (source: WorkloadSource | undefined) =>
      (await source?.read({ consistent: true }))?.gaps.map(({ message }) => message);
    expect(await gapsOf(sources[0])).toEqual([]);
    expect(await gapsOf(sources[1])).toEqual([
      'VirtualMachine default/wrong: imageRef: {.spec.image.id} yields a list, expected text or a number',
    ]);
  });

  it('should take the API server at its word about a field that it cannot select by', async () => {
    const config = configOf(EXAMPLES[2]?.configText ?? '', 'node-1');
    const [rule] = config.sources.rules;
    const source = ruleSource(rule === undefined ? undefined : { ...rule, fieldSelector: 'spec.nothing=x' });
    const { status } = await source.read({ consistent: true });
    expect([status.state, status.message]).toEqual(['failed', expect.stringMatching(/field label not supported/)]);
  });

  it('should let a pod that a rule reads as a VM mount the instances path', async () => {
    const { exemptPods } = configOf(EXAMPLES[1]?.configText ?? '', 'node-1');
    const instancesPath = '/var/lib/nova/instances';
    const pods = createPodSource({
      client,
      nodeName: 'node-1',
      instancesPath,
      ...POD_RULES,
      exemptPods,
      clock: systemClock,
      random: Math.random,
      timing: SHORT,
    });
    running.push(pods);
    pods.start();
    const labels = { 'app.kubernetes.io/component': 'qemu' };
    await create(server, 'pods', podObject({ name: 'ruled', labels, node: 'node-1', hostPaths: [instancesPath] }));
    await create(server, 'pods', podObject({ name: 'unruled', node: 'node-1', hostPaths: [instancesPath] }));
    const { gaps } = await pods.read({ consistent: true });
    expect(gaps.map(({ object }) => object?.name)).toEqual(['unruled']);
  });
});
