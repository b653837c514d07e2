import { asArray, asText, at, field } from '../../lib/json.ts';
import { podOf, type KnownPod } from './objects.ts';
import { programsOf } from './programs.ts';

/** A pod of libvirt or nova-compute that has not ended. */
export interface Hypervisor extends KnownPod {
  readonly node: string;
  readonly runsNovaCompute: boolean;
  /** Where nova-compute runs in it. */
  readonly container: string;
  /** What it mounts as configuration. */
  readonly configuration: readonly MountedObject[];
}

export interface MountedObject {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
}

/** As OpenStack-Helm labels what serves the VMs of libvirt. */
export function isLabelled({ labels }: Pick<KnownPod, 'labels'>): boolean {
  return labels.get('application') === 'libvirt' || isCompute(labels, 'nova') || isCompute(labels, 'ceilometer');
}

function isCompute(labels: KnownPod['labels'], application: string): boolean {
  return labels.get('application') === application && labels.get('component') === 'compute';
}

/** By its labels, or by what it runs. Undefined for any other pod, and for one that no node has or that has ended. */
export function hypervisorOf(object: unknown): Hypervisor | undefined {
  const [pod, node] = [podOf(object), asText(at(object, 'spec', 'nodeName'))];
  const phase = asText(at(object, 'status', 'phase'));
  if (pod === undefined || node === undefined || phase === 'Succeeded' || phase === 'Failed') return undefined;
  const programs = programsOf(object);
  const isNova = isCompute(pod.labels, 'nova');
  if (!isNova && pod.labels.get('application') !== 'libvirt' && programs.size === 0) return undefined;
  const containers = (asArray(at(object, 'spec', 'containers')) ?? []).map((container) => asText(field(container, 'name')) ?? '');
  return {
    ...pod,
    node,
    runsNovaCompute: isNova || programs.has('nova-compute'),
    container: programs.get('nova-compute') ?? containers.find((name) => name === 'nova-compute') ?? containers[0] ?? '',
    configuration: mountedObjects(object),
  };
}

function mountedObjects(pod: unknown): readonly MountedObject[] {
  const volumes = asArray(at(pod, 'spec', 'volumes')) ?? [];
  const all = volumes.flatMap((volume) => [volume, ...(asArray(at(volume, 'projected', 'sources')) ?? [])]);
  const found = all.flatMap((volume): MountedObject[] => {
    const map = asText(at(volume, 'configMap', 'name'));
    const secret = asText(at(volume, 'secret', 'secretName')) ?? asText(at(volume, 'secret', 'name'));
    return [
      ...(map === undefined || map === 'kube-root-ca.crt' ? [] : [{ kind: 'ConfigMap', name: map } as const]),
      ...(secret === undefined ? [] : [{ kind: 'Secret', name: secret } as const]),
    ];
  });
  return [...new Map(found.map((entry) => [`${entry.kind} ${entry.name}`, entry])).values()];
}
