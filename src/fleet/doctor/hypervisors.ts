import { asArray, asText, at, field } from '../../lib/json.ts';
import { podOf, type KnownPod } from './objects.ts';

/** What lists them: the labels of OpenStack-Helm. */
export const HYPERVISOR_SELECTOR = 'application in (libvirt,nova)';

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

/** As OpenStack-Helm labels them. */
export function isHypervisor({ labels }: Pick<KnownPod, 'labels'>): boolean {
  const [application, component] = [labels.get('application'), labels.get('component')];
  return application === 'libvirt' || ((application === 'nova' || application === 'ceilometer') && component === 'compute');
}

/** Undefined for any other pod, and for one that no node has or that has ended. */
export function hypervisorOf(object: unknown): Hypervisor | undefined {
  const [pod, node] = [podOf(object), asText(at(object, 'spec', 'nodeName'))];
  const phase = asText(at(object, 'status', 'phase'));
  if (pod === undefined || node === undefined || !isHypervisor(pod) || phase === 'Succeeded' || phase === 'Failed') return undefined;
  const containers = (asArray(at(object, 'spec', 'containers')) ?? []).map((container) => asText(field(container, 'name')) ?? '');
  return {
    ...pod,
    node,
    runsNovaCompute: pod.labels.get('application') === 'nova',
    container: containers.find((name) => name === 'nova-compute') ?? containers[0] ?? '',
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
