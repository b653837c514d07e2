import type { PodRules } from '../../src/sources/pods/map-pod.ts';
import type { KubeObject } from './memory-api-server.ts';

/** API objects as tests need them: what is not named is left out, as the API server does. */
export interface PodParts {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly node?: string;
  /** Mounted writable. Default for a pod with our annotations: `/`, for nobody else is believed. */
  readonly hostPaths?: readonly string[];
  readonly owners?: readonly object[];
  readonly phase?: string;
  readonly deletionTimestamp?: string;
}

/** What a pod source needs beside the cluster, for tests that ask about something else. */
export const POD_RULES: Pick<PodRules, 'exemptPods' | 'knownAgents' | 'policy'> = {
  exemptPods: [],
  knownAgents: [],
  policy: { liveUseCheck: true, overlays: 'all' },
};

export function podObject(parts: PodParts = {}): KubeObject {
  const { name = 'pod-a', namespace = 'default', uid = `uid-of-${name}`, node = 'node-a' } = parts;
  const hostPaths = parts.hostPaths ?? (parts.annotations === undefined ? [] : ['/']);
  const volumes = hostPaths.map((path, index) => ({ name: `v${index}`, hostPath: { path } }));
  const volumeMounts = volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` }));
  return {
    metadata: {
      name,
      namespace,
      uid,
      ...(parts.labels === undefined ? {} : { labels: parts.labels }),
      ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
      ...(parts.owners === undefined ? {} : { ownerReferences: parts.owners }),
      ...(parts.deletionTimestamp === undefined ? {} : { deletionTimestamp: parts.deletionTimestamp }),
    },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'registry.example/app:1', volumeMounts }], volumes },
    ...(parts.phase === undefined ? {} : { status: { phase: parts.phase } }),
  };
}

/** A virt-launcher pod as virt-controller makes it. */
export function launcherPod(vmi: { readonly name: string; readonly uid: string }, parts: PodParts = {}): KubeObject {
  return podObject({
    name: `virt-launcher-${vmi.name}-x7k2p`,
    ...parts,
    labels: { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': vmi.uid, ...parts.labels },
    owners: [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: vmi.name, uid: vmi.uid, controller: true }],
  });
}

export interface VmiParts {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly annotations?: Record<string, string>;
  readonly node?: string;
  readonly target?: string;
  readonly volumes?: readonly object[];
  readonly kernelBoot?: object;
  readonly status?: object;
}

export function vmiObject(parts: VmiParts = {}): KubeObject {
  const { name = 'vm-a', namespace = 'default', uid = `uid-of-${name}` } = parts;
  const labels = {
    ...(parts.node === undefined ? {} : { 'kubevirt.io/nodeName': parts.node }),
    ...(parts.target === undefined ? {} : { 'kubevirt.io/migrationTargetNodeName': parts.target }),
  };
  const firmware = parts.kernelBoot === undefined ? {} : { firmware: { kernelBoot: parts.kernelBoot } };
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: { name, namespace, uid, labels, ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }) },
    spec: { domain: { devices: {}, ...firmware }, volumes: parts.volumes ?? [] },
    ...(parts.status === undefined ? {} : { status: parts.status }),
  };
}
