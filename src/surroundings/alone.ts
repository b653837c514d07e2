import { join } from 'node:path';
import { networkFilesystemOf } from '../disk/network-filesystem.ts';
import { readSmallFile } from '../disk/read-small-file.ts';
import { errnoOf, messageOf } from '../lib/errors.ts';
import { parseRegistry, MAX_REGISTRY_BYTES } from '../shared-storage/registry-file.ts';
import { REGISTRY_NAME } from '../shared-storage/registry.ts';

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
 * Signs that other hosts use the instances directory although the configuration does not say so: what their disks are backed by would look
 * unused here.
 */
export function signsOfOthers(parts: AloneParts): string[] {
  return [...registeredOthers(parts), ...sharedFileSystem(parts.basePath)].map((sign) => `${sign}; ${REMEDY}`);
}

const REMEDY = 'set sharedStorage.enabled: true, or, where no other host has the directory mounted, sharedStorage.alone: true';

function registeredOthers({ instancesPath, ownNames, hostTimeoutSeconds, nowMs }: AloneParts): string[] {
  const path = join(instancesPath, REGISTRY_NAME);
  const { hosts, problem } = registryAt(path);
  if (hosts === undefined) return [`${path} does not say which hosts use the directory: ${problem}`];
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
  const type = networkFilesystemOf(basePath);
  return type === undefined ? [] : [`${basePath} is on a file system that several hosts can have mounted (${type})`];
}
