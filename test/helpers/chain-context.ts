import { posix } from 'node:path';
import type { Inspection } from '../../src/images/header.ts';
import type { ChainContext } from '../../src/overlays/chain.ts';

export interface ContextSpec {
  /** The host's path of the instances path. Default `/i`. */
  readonly root?: string;
  readonly inspect: (path: string, withHeader: boolean) => Inspection;
  /** Names in `_base`, for references that lead out of the instances path. Default: none. */
  readonly baseFiles?: readonly string[];
  /** Absolute paths outside that a source names, and that can be looked at. Default: none. */
  readonly seenOutside?: readonly string[];
  /** The same, where no source names them. Default: none. */
  readonly unnamedOutside?: readonly string[];
}

/** A chain's surroundings without links: paths are resolved by their text. */
export function contextOf({ root = '/i', inspect, baseFiles = [], seenOutside = [], unnamedOutside = [] }: ContextSpec): ChainContext {
  return {
    subdirectoryName: '_base',
    directoryOf: (path) => posix.dirname(posix.join(root, path)),
    locate(absolute) {
      const path = posix.normalize(absolute).replace(/(?<=.)\/$/s, '');
      const prefix = root === '/' ? '/' : `${root}/`;
      if (path.startsWith(prefix) && path !== prefix) return { kind: 'inside', path: path.slice(prefix.length) };
      return { kind: 'outside', path, seen: seenOutside.includes(path) || unnamedOutside.includes(path) };
    },
    inspect,
    isNamed: (path) => seenOutside.includes(path),
    hasBaseFile: (name) => baseFiles.includes(name),
    baseFileAt: () => undefined,
  };
}
