import { posix } from 'node:path';
import { asArray, asText, at, field } from '../../../lib/json.ts';
import { normalizeHostPath } from '../../host-paths.ts';

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

/** A `hostPath` volume. */
export interface HostVolume {
  /** Normalized. */
  readonly path: string;
  /** The path could not be understood, and may be anything: `path` is `/`. */
  readonly anywhere: boolean;
  /** The pod says that it is a file. */
  readonly isFile: boolean;
}

/** The `hostPath` volumes of a pod, by name. */
export function hostVolumes(pod: unknown): ReadonlyMap<unknown, HostVolume> {
  const volumes = new Map<unknown, HostVolume>();
  for (const [index, volume] of (asArray(at(pod, 'spec', 'volumes')) ?? []).entries()) {
    const path = asText(at(volume, 'hostPath', 'path'));
    if (path === undefined) continue;
    const normal = normalizeHostPath(path);
    const isFile = ['File', 'FileOrCreate'].includes(asText(at(volume, 'hostPath', 'type')) ?? '');
    volumes.set(asText(field(volume, 'name')) ?? index, { path: normal ?? '/', anywhere: normal === undefined, isFile });
  }
  return volumes;
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
  const readOnly = field(mount, 'readOnly') === true && field(mount, 'mountPropagation') !== 'Bidirectional';
  const given = field(mount, 'subPathExpr') ?? field(mount, 'subPath') ?? '';
  // `$(NAME)` is filled in by the kubelet; what leads upwards is refused by the API server.
  const known = !volume.anywhere && typeof given === 'string' && !given.includes('$(') && !given.split('/').includes('..');
  if (!known) return { path: volume.path, anywhere: true, readOnly };
  return { path: normalizeHostPath(posix.join(volume.path, given)) ?? volume.path, anywhere: false, readOnly };
}
