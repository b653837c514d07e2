import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../scripts/lib/until.ts';
import { manifestsIn, only, at } from '../helpers/helm.ts';
import { createSession, helmOptions, type KubeObject } from './lib/session.ts';
import { InstancesTree, LIBVIRT_QEMU, NOVA, sha1 } from './lib/tree.ts';

const access = inject('cluster');
const session = createSession(access, 'capabilities');
const { kubectl, helm, apply, json } = session;

const USED = sha1('used');
const UNUSED = sha1('unused');
const OVERLAID = sha1('overlaid');
const NOVA_USER = { runAsNonRoot: true, runAsUser: NOVA, runAsGroup: NOVA };
const ROOT_USER = { runAsUser: 0, runAsGroup: 0 };

/** What a pass did in a pod of its own, on a tree of its own. */
interface Passed {
  readonly result: string;
  readonly gate: { readonly reasons: readonly { readonly reason: string }[] };
  readonly files: readonly { readonly name: string; readonly outcome: string }[];
  readonly tree: InstancesTree;
}

interface Variant {
  readonly user: object;
  readonly capabilities: readonly string[];
  /** Whose images and disks they are. */
  readonly owner: number;
  /** Mode of images and disks. */
  readonly mode: number;
}

/** The chart's pod, with another command. */
async function podOf(name: string, tree: InstancesTree, { user, capabilities }: Variant): Promise<object> {
  const rendered = manifestsIn(await helm(3, 'template', 'basekeeper', ...helmOptions(tree.path)));
  const spec = at(only(rendered, 'DaemonSet'), 'spec.template.spec') as Record<string, unknown>;
  const [agent] = spec['containers'] as [{ readonly securityContext: object; readonly volumeMounts: readonly object[] }];
  const volumes = spec['volumes'] as readonly object[];
  const workloads = JSON.stringify({ workloads: [{ name: 'vm', imageRef: 'used' }] });
  const argv = [
    '/nodejs/bin/node',
    '/app/basekeeper.mjs',
    'pass',
    '--instances-path',
    tree.path,
    '--workloads',
    '/work/workloads.json',
    '--output',
    'json',
  ];
  const script =
    `require('node:fs').writeFileSync('/work/workloads.json', ${JSON.stringify(workloads)});` +
    `process.argv = ${JSON.stringify(argv)}; import('/app/basekeeper.mjs');`;
  const container = {
    ...agent,
    command: ['/nodejs/bin/node', '--eval', script],
    args: [],
    startupProbe: undefined,
    livenessProbe: undefined,
    readinessProbe: undefined,
    securityContext: { ...agent.securityContext, capabilities: { drop: ['ALL'], add: capabilities } },
    volumeMounts: [...agent.volumeMounts, { name: 'work', mountPath: '/work' }],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: session.namespace },
    spec: {
      ...spec,
      nodeName: access.node,
      restartPolicy: 'Never',
      serviceAccountName: 'default',
      automountServiceAccountToken: false,
      securityContext: { ...(spec['securityContext'] as object), ...user, fsGroup: NOVA },
      containers: [container],
      volumes: [...volumes, { name: 'work', emptyDir: {} }],
    },
  };
}

async function pass(name: string, variant: Variant): Promise<Passed> {
  const tree = new InstancesTree(join(access.sharedDirectory, 'capabilities', name));
  const { owner, mode } = variant;
  for (const base of [USED, UNUSED, OVERLAID]) await tree.addBase({ name: base, owner, mode });
  await tree.addInstance('instance-00000001', OVERLAID, { owner, mode });
  await apply(await podOf(name, tree, variant));
  await until(`pod ${name} to end`, 60_000, async () => {
    const { status } = await json<KubeObject>('--namespace', session.namespace, 'get', 'pod', name);
    return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? true : undefined;
  });
  const log = await kubectl('--namespace', session.namespace, 'logs', name);
  return { ...(JSON.parse(log.slice(log.indexOf('{'))) as Omit<Passed, 'tree'>), tree };
}

const outcomes = ({ files }: Passed) => Object.fromEntries(files.map(({ name, outcome }) => [name, outcome]));
const reasons = ({ gate }: Passed) => gate.reasons.map(({ reason }) => reason);
const lockOwner = ({ tree }: Passed) => lstatSync(join(tree.path, 'locks', `nova-${UNUSED}`)).uid;
/** As libvirt leaves them while VMs run: QEMU's own, and readable by nobody else. */
const asLibvirtLeavesThem = { owner: LIBVIRT_QEMU, mode: 0o600 };
const ALL = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'];
const without = (capability: string) => ALL.filter((other) => other !== capability);

beforeAll(async () => {
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'basekeeper', namespace: session.namespace } };
  await apply({ ...config, data: { 'config.yaml': '{}' } });
});

afterAll(async () => {
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
});

describe('files that belong to somebody else and only they may read', () => {
  it('should be removed and touched with the capabilities that the chart adds, under locks that Nova can take', async () => {
    const passed = await pass('all', { user: ROOT_USER, capabilities: ALL, ...asLibvirtLeavesThem });
    expect(passed.result).toBe('Succeeded');
    expect(outcomes(passed)).toEqual({ [USED]: 'touched', [OVERLAID]: 'touched', [UNUSED]: 'removed' });
    expect(lockOwner(passed)).toBe(NOVA);
  });

  it('should be nobody’s to judge without DAC_OVERRIDE: headers cannot be read', async () => {
    const passed = await pass('without-dac-override', { user: ROOT_USER, capabilities: without('DAC_OVERRIDE'), ...asLibvirtLeavesThem });
    expect(passed.result).toBe('Held');
    expect(reasons(passed)).toContain('Unseen');
  });

  it('should not be touched without FOWNER: their age would go on counting while they are in use', async () => {
    const passed = await pass('without-fowner', { user: ROOT_USER, capabilities: without('FOWNER'), ...asLibvirtLeavesThem });
    expect(outcomes(passed)).toMatchObject({ [USED]: 'TouchFailed', [OVERLAID]: 'TouchFailed' });
  });

  it('should be locked by files that are root’s without CHOWN', async () => {
    const passed = await pass('without-chown', { user: ROOT_USER, capabilities: without('CHOWN'), ...asLibvirtLeavesThem });
    expect(lockOwner(passed)).toBe(0);
  });
});

describe('Nova’s user without any capability', () => {
  it('should be enough where everything is Nova’s', async () => {
    const passed = await pass('nova', { user: NOVA_USER, capabilities: [], owner: NOVA, mode: 0o644 });
    expect(passed.result).toBe('Succeeded');
    expect(outcomes(passed)).toEqual({ [USED]: 'touched', [OVERLAID]: 'touched', [UNUSED]: 'removed' });
    expect(lockOwner(passed)).toBe(NOVA);
  });

  it('should remove nothing where libvirt has made a disk unreadable for it', async () => {
    const passed = await pass('nova-unreadable', { user: NOVA_USER, capabilities: [], ...asLibvirtLeavesThem });
    expect(reasons(passed)).toEqual(['Unseen']);
    expect(passed.result).toBe('Held');
    expect(passed.tree.baseNames()).toContain(UNUSED);
  });
});
