import { posix } from 'node:path';
import { asText, at, field } from '../../../lib/json.ts';
import type { NfsShare } from '../../../model/filesystem.ts';
import { normalizeHostPath, overlaps } from '../../host-paths.ts';

export interface HostView {
  /** As on the host; normalized. */
  readonly instancesPath: string;
  /** Where the instances path lies on an NFS server. Undefined: it is not on NFS, or it is unknown where. */
  readonly share?: NfsShare | undefined;
}

/** The driver of kubernetes-csi for NFS, whose volumes say server and directory as the built-in ones do. */
const NFS_DRIVER = 'nfs.csi.k8s.io';

/**
 * The directory of the host that a PersistentVolume (or an `nfs` volume of a pod) is, for volumes of the types local, hostPath and NFS;
 * undefined for one that is elsewhere. A directory of an NFS server counts where it overlaps the one that the instances path is on, by
 * the path that it would have on the host.
 */
export function hostPathOf(volume: unknown, view: HostView): string | undefined {
  const path = asText(at(volume, 'local', 'path')) ?? asText(at(volume, 'hostPath', 'path'));
  // What cannot be understood may be anything.
  if (path !== undefined) return normalizeHostPath(path) ?? '/';
  const csi = at(volume, 'csi');
  if (field(csi, 'driver') === NFS_DRIVER) {
    const attributes = at(csi, 'volumeAttributes');
    const directory = posix.join(asText(field(attributes, 'share')) ?? '/', asText(field(attributes, 'subdir')) ?? '');
    return ofShare(asText(field(attributes, 'server')), directory, view);
  }
  return ofShare(asText(at(volume, 'nfs', 'server')), asText(at(volume, 'nfs', 'path')), view);
}

function ofShare(server: string | undefined, path: string | undefined, { instancesPath, share }: HostView): string | undefined {
  if (server === undefined || path === undefined || share === undefined) return undefined;
  if (!share.servers.includes(server.toLowerCase())) return undefined;
  const directory = normalizeHostPath(path) ?? '/';
  if (!overlaps(directory, share.path)) return undefined;
  return posix.join(instancesPath, posix.relative(share.path, directory));
}
