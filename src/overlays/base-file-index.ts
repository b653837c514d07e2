import { lstatSync } from 'node:fs';
import { posix } from 'node:path';
import { readEntries } from '../disk/list-directory.ts';
import type { ImageReader } from '../images/reader.ts';
import type { ChainContext } from './chain.ts';
import type { Places } from './places.ts';

export interface BaseFileIndexOptions {
  readonly instancesPath: string;
  readonly subdirectoryName: string;
  readonly reader: ImageReader;
  readonly places: Places;
}

/** Which base files there are, asked when a reference leads out of the instances path: hardly any scan asks. */
export function baseFileIndex(options: BaseFileIndexOptions): Pick<ChainContext, 'hasBaseFile' | 'baseFileAt'> {
  const { subdirectoryName, reader, places } = options;
  let byInode: ReadonlyMap<string, string> | undefined;
  return {
    hasBaseFile: (name) => name !== '' && !name.includes('/') && reader.typeAt(`${subdirectoryName}/${name}`) === 'file',
    baseFileAt(path) {
      const stats = places.statOutside(path);
      if (stats?.isFile() !== true) return undefined;
      byInode ??= new Map(inodesOf(posix.join(options.instancesPath, subdirectoryName)));
      return byInode.get(`${stats.dev} ${stats.ino}`);
    },
  };
}

/** Of the files in a directory, each with its name. A file that cannot be looked at is reported by the walk. */
export function* inodesOf(directory: string): Iterable<[string, string]> {
  for (const { name } of readEntries(directory, () => {})) {
    const stats = lstatSync(`${directory}/${name}`, { bigint: true, throwIfNoEntry: false });
    if (stats?.isFile() === true) yield [`${stats.dev} ${stats.ino}`, name];
  }
}
