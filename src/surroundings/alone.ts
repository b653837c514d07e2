import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { readSmallFile } from '../disk/read-small-file.ts';
import { errnoOf, messageOf } from '../lib/errors.ts';
import { parseRegistry } from '../shared-storage/registry-file.ts';
import { REGISTRY_NAME } from '../shared-storage/registry.ts';

/** `statfs(2)`'s types of file systems that several hosts can have mounted at the same time. */
const SHARED_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x00c36400, 'CephFS'],
  [0x65735546, 'FUSE, such as GlusterFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x5346414f, 'AFS'],
]);

const MAX_REGISTRY_BYTES = 1024 * 1024;
/** More are not worth a message. */
const EXAMPLES = 3;

export interface AloneParts {
  readonly instancesPath: string;
  readonly basePath: string;
  /** By which this host may be registered. */
  readonly ownNames: readonly string[];
  /** How long a registration counts, in seconds. */
  readonly hostTimeoutSeconds: number;
  readonly nowMs: number;
}

/**
 * Signs that other hosts use the instances directory although the configuration does not say so: what their disks stand on would look
 * unused here.
 */
export function signsOfOthers(parts: AloneParts): string[] {
  return [...registeredOthers(parts), ...sharedFileSystem(parts.basePath)].map((sign) => `${sign}; ${REMEDY}`);
}

const REMEDY = 'set sharedStorage.enabled: true, or, where no other host has the directory mounted, sharedStorage.alone: true';

function registeredOthers({ instancesPath, ownNames, hostTimeoutSeconds, nowMs }: AloneParts): string[] {
  const path = join(instancesPath, REGISTRY_NAME);
  const { hosts, problem } = registryAt(path);
  if (hosts === undefined) return [`${path} cannot tell which hosts use the directory: ${problem}`];
  const fresh = [...hosts].filter(([host, seconds]) => nowMs / 1000 - seconds < hostTimeoutSeconds && !isOwn(host, ownNames));
  const names = fresh.map(([host]) => JSON.stringify(host));
  if (names.length === 0) return [];
  const more = names.length > EXAMPLES ? ` and ${names.length - EXAMPLES} more` : '';
  return [`${path} names other hosts that use the directory: ${names.slice(0, EXAMPLES).join(', ')}${more}`];
}

function registryAt(path: string): ReturnType<typeof parseRegistry> {
  try {
    const file = readSmallFile(path, MAX_REGISTRY_BYTES);
    // Nova truncates the file before it writes it.
    return file === undefined || file.text.trim() === '' ? { hosts: new Map() } : parseRegistry(file.text);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return { problem: messageOf(error) };
  }
}

/** One may call a host by its name alone, and another with its domain. */
function isOwn(host: string, ownNames: readonly string[]): boolean {
  return ownNames.some((name) => name === host || firstLabel(name) === firstLabel(host));
}

function firstLabel(name: string): string {
  return name.split('.')[0] ?? name;
}

function sharedFileSystem(basePath: string): string[] {
  try {
    const type = sharedTypeName(statfsSync(basePath).type);
    return type === undefined ? [] : [`${basePath} is on a file system that several hosts can have mounted (${type})`];
  } catch (error) {
    // A base directory that is not there holds nothing.
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

/** The name of a file system's type where several hosts can have it mounted. */
export function sharedTypeName(type: number): string | undefined {
  // Some kernels extend the sign of the 32 bits.
  return SHARED_TYPES.get(Number(BigInt.asUintN(32, BigInt(type))));
}
