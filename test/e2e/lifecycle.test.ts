import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../scripts/lib/until.ts';
import { PATCH_NODE, READ_STATUS, TRY_TO_WRITE } from './lib/agent-scripts.ts';
import { auditedRequests, grantedRights, rulesOfRelease } from './lib/least-privilege.ts';
import { watchScrapes } from './lib/scrapes.ts';
import { createSession, helmOptions, type KubeObject } from './lib/session.ts';
import { InstancesTree, LIBVIRT_QEMU, sha1 } from './lib/tree.ts';
import { podWithClaim, vmPod, vmi } from './lib/workloads.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper');
const { kubectl, helm, apply, json } = session;
const VMS = 'vms';
const CLAIMED = 'claimed';
const PORT = 9817;
const CRD = fileURLToPath(new URL('../fixtures/kubevirt/virtualmachineinstances.yaml', import.meta.url));

/** Image ids, by what becomes of their base files. */
const image = {
  running: 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0',
  ofVmi: 'registry.example.com/vm/debian:12',
  starting: '2f1c5b8e-0f6e-4c6b-9a53-6a1d0f3f7b11',
  overlaid: '7d0e4c2a-95a1-4f0e-8f5e-0a4f4f4b9c22',
  young: 'c0ffee00-0000-4000-8000-000000000000',
  unused: '11111111-2222-4333-8444-555555555555',
  unusedLater: '66666666-7777-4888-8999-aaaaaaaaaaaa',
} as const;
const kept = [image.running, image.ofVmi, image.overlaid, image.young].map(sha1);
const unused = [sha1(image.unused), `${sha1(image.unused)}_20`, 'swap_512'];
const FOREIGN = 'golden.img';

const tree = new InstancesTree(join(access.sharedDirectory, 'lifecycle', 'instances'));
const options = [
  ...helmOptions(tree.path),
  // The new pod is there before the old one goes; no pod waits for its share of a minute.
  '--set-json',
  'updateStrategy={"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}',
  '--set',
  'config.jitterSeconds=0',
];

beforeAll(async () => {
  for (const name of [...kept.slice(0, 3), ...unused]) await tree.addBase({ name });
  await tree.addBase({ name: sha1(image.young), ageDays: 0 });
  await tree.addBase({ name: sha1(image.starting), owner: LIBVIRT_QEMU, mode: 0o600 });
  tree.addForeign(FOREIGN);
  await tree.addInstance('instance-00000042', sha1(image.overlaid));
  await kubectl('apply', '--filename', CRD);
  await kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/virtualmachineinstances.kubevirt.io');
  await kubectl('create', 'namespace', VMS);
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  await apply(vmPod({ namespace: VMS, name: 'vm-1', node, imageRef: image.running, instancesPath: tree.path }));
  await apply(vmi({ namespace: VMS, name: 'vmi-1', node, imageRef: image.ofVmi }));
  await apply(...podWithClaim({ namespace: VMS, name: CLAIMED, node, path: join(access.sharedDirectory, 'lifecycle', 'claimed') }));
});

afterAll(async () => {
  // What a failed test left: the cluster may be somebody's.
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  for (const namespace of [VMS, session.namespace]) await kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--timeout=60s');
  await kubectl('delete', 'persistentvolume', CLAIMED, '--ignore-not-found', '--timeout=60s');
  await kubectl('delete', '--ignore-not-found', '--filename', CRD);
});

describe('an installation, from dry run to uninstall', () => {
  it('should become Ready after helm install and say where to look', async () => {
    const notes = await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
    expect(notes).toContain('kubectl annotate node NODE basekeeper.io/mode=enforce');
    expect(notes).not.toContain('WARNING');
    await session.readyAgent();
  });

  it('should show in the node’s description what it would remove', async () => {
    await session.runNow(node);
    const described = await kubectl('describe', 'node', node);
    expect(described).toMatch(/basekeeper\.io\/result:\s+DryRun/);
    expect(described).toMatch(/basekeeper\.io\/summary:\s+\d+ base files.*4 removable/);
  });

  it('should remove nothing in a dry run', () => {
    expect(tree.baseNames()).toEqual([...kept, ...unused, sha1(image.starting), FOREIGN].toSorted());
  });

  it('should pass helm test', async () => {
    expect(await helm(3, 'test', 'basekeeper', '--timeout', '1m')).toMatch(/Phase:\s+Succeeded/);
  });

  it('should refuse wrong values with a message that names the key, and change nothing', async () => {
    await expect(helm(3, 'upgrade', 'basekeeper', ...options, '--set', 'config.mdoe=enforce')).rejects.toThrow("'mdoe'");
    await expect(helm(3, 'upgrade', 'basekeeper', ...options, '--set', 'config.mode=delete')).rejects.toThrow('/config/mode');
    expect(JSON.parse(await helm(3, 'history', 'basekeeper', '--output', 'json'))).toHaveLength(1);
  });

  it('should go on to enforce by helm upgrade without a gap in the metrics', async () => {
    // A VM pod that starts just now: its image was unused until here.
    await apply(vmPod({ namespace: VMS, name: 'vm-starting', node, imageRef: image.starting, instancesPath: tree.path }));
    const scrapes = watchScrapes(session, PORT);
    await helm(3, 'upgrade', 'basekeeper', ...options, '--set', 'config.mode=enforce', '--wait', '--timeout', '2m');
    await session.readyAgent();
    const { taken, missed } = await scrapes.stop();
    expect(taken).toBeGreaterThan(0);
    expect(missed).toBe(0);
  });

  it('should then remove exactly the unused old files, and keep the image of the pod that has started', async () => {
    await until('the unused files to be removed', 60_000, () =>
      Promise.resolve(tree.baseNames().some((name) => unused.includes(name)) ? undefined : true),
    );
    expect(tree.baseNames()).toEqual([...kept, sha1(image.starting), FOREIGN].toSorted());
  });

  it('should touch what is in use, no matter who owns it, so that its age counts from now', () => {
    for (const ref of [image.running, image.ofVmi, image.starting, image.overlaid])
      expect(tree.ageSeconds(sha1(ref)), ref).toBeLessThan(300);
  });

  it('should run a pass at once when asked to by annotation', async () => {
    await tree.addBase({ name: sha1(image.unusedLater) });
    const annotations = await session.runNow(node);
    expect(annotations['basekeeper.io/result']).toBe('Succeeded');
    expect(tree.baseNames()).not.toContain(sha1(image.unusedLater));
  });

  it('should tell what it removed by events of the node', async () => {
    await until('two passes that removed something to be one event with a series', 30_000, async () => {
      const { items } = await json<{ items: { reason: string; series?: { count: number }; reportingInstance: string }[] }>(
        '--namespace',
        'default',
        'get',
        'events.events.k8s.io',
        '--field-selector',
        'reason=BaseFilesRemoved',
      );
      return items.some(({ series, reportingInstance }) => reportingInstance === node && (series?.count ?? 1) > 1) || items.length > 1
        ? true
        : undefined;
    });
    expect(await kubectl('describe', 'node', node)).toMatch(/BaseFilesRemoved/);
  });

  it('should show the same in its metrics', async () => {
    const pod = await session.readyAgent();
    const metrics = await session.agentGet(pod.metadata.name, PORT, '/metrics');
    expect(metrics).toMatch(/^basekeeper_mode\{mode="enforce"\} 1$/m);
    expect(metrics).toMatch(/^basekeeper_source_synced\{source="[^"]*"\} 1$/m);
    expect(metrics).toMatch(/^basekeeper_removed_files_total\{kind="original"\} [1-9]/m);
  });

  it('should leave its node to what the annotation says', async () => {
    await kubectl('annotate', 'node', node, 'basekeeper.io/mode=dry-run');
    await tree.addBase({ name: sha1(image.unused) });
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('DryRun');
    expect(tree.baseNames()).toContain(sha1(image.unused));
    await kubectl('annotate', 'node', node, 'basekeeper.io/mode-');
  });

  it.runIf(access.auditLog !== undefined)('should have asked the API server for everything that it may, and for nothing else', async () => {
    const { rights, forbidden } = auditedRequests(access.auditLog ?? '', `system:serviceaccount:${session.namespace}:basekeeper`);
    expect([...forbidden]).toEqual([]);
    expect([...rights].toSorted()).toEqual([...grantedRights(await rulesOfRelease(session, 'basekeeper'))].toSorted());
  });

  it('should be confined: no more capabilities than it was given, nothing writable but _base and locks', async () => {
    const pod = await session.readyAgent();
    const status = await session.runInAgent(pod.metadata.name, READ_STATUS);
    // CAP_CHOWN is bit 0, CAP_DAC_OVERRIDE 1, CAP_FOWNER 3.
    expect(JSON.parse(status)).toEqual({ CapEff: '000000000000000b', CapBnd: '000000000000000b', NoNewPrivs: '1', Seccomp: '2' });
    const places = [tree.path, join(tree.path, 'instance-00000042'), '/', '/app', '/etc/basekeeper', '/tmp'];
    const answers = await session.runInAgent(
      pod.metadata.name,
      TRY_TO_WRITE,
      ...places,
      join(tree.path, '_base'),
      join(tree.path, 'locks'),
    );
    expect(JSON.parse(answers)).toEqual([...places.map(() => expect.stringMatching(/^(EROFS|ENOENT)$/) as unknown), 'written', 'written']);
  });

  it('should be refused when it patches a second node’s object with its pod’s token', async () => {
    const pod = await session.readyAgent();
    await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'second-node' }, spec: { unschedulable: true } });
    const patch = async (name: string) =>
      session.runInAgent(
        pod.metadata.name,
        PATCH_NODE,
        name,
        JSON.stringify({ metadata: { annotations: { 'basekeeper.io/summary': 'forged' } } }),
      );
    expect(await patch('second-node')).toMatch(/^(403|422) .*on node \S+ may not change node second-node/);
    expect(await patch(node)).toMatch(/^200 /);
    expect(await session.annotationsOf('second-node')).not.toHaveProperty(['basekeeper.io/summary']);
    await kubectl('delete', 'node', 'second-node');
  });

  it('should have admission policies without a mistake of types', async () => {
    const policies = await json<{
      items: { status?: { typeChecking?: { expressionWarnings?: unknown[] }; observedGeneration?: number } }[];
    }>('get', 'validatingadmissionpolicies', '--selector', 'app.kubernetes.io/instance=basekeeper');
    expect(policies.items).toHaveLength(2);
    for (const { status } of policies.items) {
      expect(status?.observedGeneration).toBe(1);
      expect(status?.typeChecking?.expressionWarnings ?? []).toEqual([]);
    }
  });

  it('should leave nothing after helm uninstall, on the nodes as little as elsewhere', async () => {
    await helm(3, 'uninstall', 'basekeeper', '--wait', '--timeout', '3m');
    const { items } = await json<{ items: KubeObject[] }>('get', 'nodes');
    for (const { metadata } of items)
      expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('basekeeper.io/'))).toEqual([]);
    const kinds = 'all,configmaps,serviceaccounts,roles,rolebindings,networkpolicies,jobs,clusterroles,clusterrolebindings';
    const admission = 'validatingadmissionpolicies,validatingadmissionpolicybindings';
    await until('everything of the release to be gone', 60_000, async () => {
      const left = await kubectl(
        'get',
        `${kinds},${admission}`,
        '--all-namespaces',
        '--selector',
        'app.kubernetes.io/instance=basekeeper',
        '--output',
        'name',
      );
      return left.trim() === '' ? true : undefined;
    });
  });

  it('should not mind a second helm uninstall', async () => {
    await expect(helm(3, 'uninstall', 'basekeeper', '--ignore-not-found')).resolves.toBeDefined();
    await expect(helm(3, 'uninstall', 'basekeeper')).rejects.toThrow('not found');
  });
});
