import { posix } from 'node:path';
import { asArray, asText, at, field } from '../../../lib/json.ts';
import { normalizeHostPath } from '../../host-paths.ts';
import { hostPathOf, type HostView } from '../claims/volume-path.ts';

/** A part of the host's file system that a container of a pod sees. */
export interface ReachedPath {
  /** Normalized. With `anywhere`: the path, or anything below it. */
  readonly path: string;
  /** An expression of the mount names the path, and only the kubelet knows what it expands to. */
  readonly anywhere: boolean;
  /** The container cannot write here, and its own mounts do not appear on the host. */
  readonly readOnly: boolean;
}

/** True when every container has ended and the kubelet starts none of them again. */
export function isOver(pod: unknown): boolean {
  const phase = at(pod, 'status', 'phase');
  if (phase !== 'Succeeded' && phase !== 'Failed') return false;
  const statuses = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'];
  // A pod can be Failed while the kubelet still stops its containers.
  return statuses.every((key) => (asArray(at(pod, 'status', key)) ?? []).every((status) => at(status, 'state', 'running') === undefined));
}

/** A volume that is a directory or a file of the host. */
export interface HostVolume {
  /** Normalized. */
  readonly path: string;
  /** The path could not be understood, and may be anything: `path` is `/`. */
  readonly anywhere: boolean;
  /** The pod says that it is a file. */
  readonly isFile: boolean;
  /** No mount of it can write there. */
  readonly readOnly: boolean;
}

/** The volumes of a pod that are directories or files of the host, by name. `claimed`: by the names of claims. */
export function hostVolumes(
  pod: unknown,
  view: HostView,
  claimed: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<unknown, HostVolume> {
  const volumes = new Map<unknown, HostVolume>();
  for (const [index, volume] of (asArray(at(pod, 'spec', 'volumes')) ?? []).entries()) {
    const path = asText(at(volume, 'hostPath', 'path')) ?? hostPathOf(volume, view) ?? claimed.get(claimOf(pod, volume) ?? '');
    if (path === undefined) continue;
    const normal = normalizeHostPath(path);
    const isFile = ['File', 'FileOrCreate'].includes(asText(at(volume, 'hostPath', 'type')) ?? '');
    const readOnly = ['persistentVolumeClaim', 'nfs'].some((kind) => at(volume, kind, 'readOnly') === true);
    volumes.set(asText(field(volume, 'name')) ?? index, { path: normal ?? '/', anywhere: normal === undefined, isFile, readOnly });
  }
  return volumes;
}

/** Names of the claims that a pod uses. */
export function claimsOf(pod: unknown): string[] {
  return (asArray(at(pod, 'spec', 'volumes')) ?? []).flatMap((volume) => claimOf(pod, volume) ?? []);
}

/** An ephemeral volume has a claim that is named after the pod and the volume. */
function claimOf(pod: unknown, volume: unknown): string | undefined {
  const name = asText(at(volume, 'persistentVolumeClaim', 'claimName'));
  if (name !== undefined || at(volume, 'ephemeral') === undefined) return name;
  return `${asText(at(pod, 'metadata', 'name')) ?? ''}-${asText(field(volume, 'name')) ?? ''}`;
}

/** What its containers reach of these volumes, by their mounts. Nobody reaches a volume that no container mounts. */
export function reachedPaths(pod: unknown, volumes: ReadonlyMap<unknown, HostVolume>): readonly ReachedPath[] {
  const kinds = ['containers', 'initContainers', 'ephemeralContainers'];
  const containers = kinds.flatMap((kind) => asArray(at(pod, 'spec', kind)) ?? []);
  const mounts = containers.flatMap((container) => asArray(field(container, 'volumeMounts')) ?? []);
  return mounts.flatMap((mount) => {
    const volume = volumes.get(field(mount, 'name'));
    return volume === undefined ? [] : [reachedBy(mount, volume)];
  });
}

function reachedBy(mount: unknown, volume: HostVolume): ReachedPath {
  const readOnly = (volume.readOnly || field(mount, 'readOnly') === true) && field(mount, 'mountPropagation') !== 'Bidirectional';
  const given = field(mount, 'subPathExpr') ?? field(mount, 'subPath') ?? '';
  // `$(NAME)` is filled in by the kubelet; what leads upwards is refused by the API server.
  const known = !volume.anywhere && typeof given === 'string' && !given.includes('$(') && !given.split('/').includes('..');
  if (!known) return { path: volume.path, anywhere: true, readOnly };
  return { path: normalizeHostPath(posix.join(volume.path, given)) ?? volume.path, anywhere: false, readOnly };
}
