import { join } from 'node:path';
import { readSmallFile } from '../../disk/read-small-file.ts';
import { normalizeHostPath } from '../host-paths.ts';
import type { PoolTarget } from './disks.ts';
import { childOf, parseXml, textOf } from './xml-tree.ts';

const MAX_BYTES = 1024 * 1024;
/** Pools whose volumes are files below their target. */
const DIRECTORY_TYPES: ReadonlySet<string> = new Set(['dir', 'fs', 'netfs']);

/**
 * Where the volumes of storage pools lie, from their definitions: `storage/` beside or below the directory of the domains'
 * definitions, as libvirt has it (`/etc/libvirt/storage`).
 */
export function poolTargets(definitionsPath: string): PoolTarget {
  return (pool) => {
    if (pool === '' || pool.includes('/') || pool.includes('\0')) return undefined;
    for (const directory of [join(definitionsPath, '..', 'storage'), join(definitionsPath, 'storage')]) {
      const target = targetIn(join(directory, `${pool}.xml`));
      if (target !== undefined) return target;
    }
    return undefined;
  };
}

/** Undefined for whatever cannot be read or understood: the domain's problem says so. */
function targetIn(path: string): string | undefined {
  try {
    const file = readSmallFile(path, MAX_BYTES);
    if (file === undefined) return undefined;
    const pool = parseXml(file.text);
    if (pool.name !== 'pool' || !DIRECTORY_TYPES.has(pool.attributes.get('type') ?? '')) return undefined;
    return normalizeHostPath(textOf(childOf(childOf(pool, 'target'), 'path')));
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
