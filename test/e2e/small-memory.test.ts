/** An agent under a memory limit of 64 MiB, on a node with as much as a full node has, while objects change all the time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CHANGE_OBJECTS } from './lib/agent-scripts.ts';
import { createSession, helmOptions, type KubeObject } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';
import { refusedPod, vmi } from './lib/workloads.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-small');
const { kubectl, helm, apply, json } = session;
const VMS = 'many-vms';
const PORT = 9817;
const PODS = 300;
const VMIS = 50;
const FILES = 1000;
/** An hour: `BASEKEEPER_E2E_MINUTES=60 npm run e2e -- test/e2e/small-memory.test.ts`. */
const MINUTES = Number(process.env['BASEKEEPER_E2E_MINUTES'] ?? 5);
const CHANGES_PER_SECOND = 10;
const CRD = fileURLToPath(new URL('../fixtures/kubevirt/virtualmachineinstances.yaml', import.meta.url));

const tree = new InstancesTree(join(access.sharedDirectory, 'small-memory', 'instances'));
const options = [...helmOptions(tree.path), '--set', 'config.jitterSeconds=0,config.intervalSeconds=10'];

beforeAll(async () => {
  for (let index = 0; index < FILES; index += 1) tree.addEmpty(sha1(`image-${index}`));
  await kubectl('apply', '--filename', CRD);
  await kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/virtualmachineinstances.kubevirt.io');
  await kubectl('create', 'namespace', VMS);
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  await apply(
    ...Array.from({ length: PODS }, (_, index) => refusedPod({ namespace: VMS, name: `pod-${index}`, node, imageRef: `image-${index}` })),
    ...Array.from({ length: VMIS }, (_, index) => vmi({ namespace: VMS, name: `vmi-${index}`, node, imageRef: `image-${index}` })),
  );
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  for (const namespace of [VMS, session.namespace]) await kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s');
  await kubectl('delete', '--ignore-not-found', '--filename', CRD);
});

interface AgentPod extends KubeObject {
  readonly status: KubeObject['status'] & {
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly lastTransitionTime: string }[];
    readonly containerStatuses: readonly {
      readonly restartCount: number;
      readonly state: { readonly running?: { readonly startedAt: string } };
    }[];
  };
}

/** Passes so far, and the seconds that they took. */
async function passesOf(pod: string): Promise<{ readonly count: number; readonly seconds: number }> {
  const text = await session.agentGet(pod, PORT, '/metrics');
  const sum = (name: string): number => {
    const lines = [...text.matchAll(new RegExp(`^basekeeper_pass_duration_seconds_${name}(?:\\{[^}]*\\})? ([\\d.e+-]+)$`, 'gm'))];
    return lines.reduce((total, [, value]) => total + Number(value), 0);
  };
  return { count: sum('count'), seconds: sum('sum') };
}

async function changeForAMinute(): Promise<string> {
  const kubeconfig = join(access.sharedDirectory, 'small-memory.json');
  writeFileSync(kubeconfig, await kubectl('config', 'view', '--raw', '--minify', '--flatten', '--output', 'json'), { mode: 0o600 });
  const objects = `/apis/kubevirt.io/v1/namespaces/${VMS}/virtualmachineinstances/vmi-`;
  return session.runOnNode(CHANGE_OBJECTS, kubeconfig, objects, String(VMIS), String(CHANGES_PER_SECOND), '60');
}

/** Seconds of a pass on average, over a time in which objects change. */
async function watch(limit: string, minutes: number): Promise<{ readonly passSeconds: number; readonly pod: AgentPod }> {
  await helm(3, 'upgrade', '--install', 'basekeeper', ...options, '--set', `resources.limits.memory=${limit}`, '--wait', '--timeout', '2m');
  const { metadata } = await session.readyAgent();
  const before = await passesOf(metadata.name);
  let changes = 0;
  // A minute at a time: no command takes longer than five.
  for (let minute = 0; minute < minutes; minute += 1) changes += Number(await changeForAMinute());
  expect(changes).toBeGreaterThan(minutes * 60 * CHANGES_PER_SECOND * 0.5);
  const after = await passesOf(metadata.name);
  expect(after.count - before.count).toBeGreaterThan(minutes);
  const pod = await json<AgentPod>('--namespace', session.namespace, 'get', 'pod', metadata.name);
  return { passSeconds: (after.seconds - before.seconds) / (after.count - before.count), pod };
}

describe(`an agent beside ${PODS} pods and ${VMIS} VMs, ${CHANGES_PER_SECOND} changes a second`, () => {
  it(
    `should live ${MINUTES} minutes under a memory limit of 64 MiB, without a restart, and its passes take at most twice as long`,
    { timeout: (MINUTES + 4) * 60_000 },
    async () => {
      const small = await watch('64Mi', MINUTES);
      const large = await watch('512Mi', 1);
      console.log(
        `passes: ${(small.passSeconds * 1000).toFixed(0)} ms under 64 MiB, ${(large.passSeconds * 1000).toFixed(0)} ms under 512 MiB`,
      );
      for (const { pod } of [small, large]) expect(pod.status.containerStatuses.map(({ restartCount }) => restartCount)).toEqual([0]);
      expect(small.passSeconds).toBeLessThanOrEqual(2 * large.passSeconds);
    },
  );
});
