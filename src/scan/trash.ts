import { lstatSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { parseTrashEntryName, TRASH_DIRECTORY } from '../model/trash-names.ts';
import type { TrashScan } from '../model/scan.ts';
import { classify } from './classify.ts';
import type { Naming } from '../model/policy.ts';
import { readEntries } from '../disk/list-directory.ts';
import type { Pacer } from '../lib/pacer.ts';
import { ProblemLog } from '../disk/problem-log.ts';
import { decodeRawName } from '../disk/raw-name.ts';
import { TrashedRows } from './rows/trashed-files.ts';

const LSTAT = { bigint: true, throwIfNoEntry: false } as const;

export interface TrashListing {
  readonly basePath: string;
  /** Path of the base directory relative to the instances path, for problems. */
  readonly subdirectoryName: string;
  readonly naming: Naming;
  readonly pacer: Pacer;
}

/** Lists the trash below the base directory, without following a link. Undefined where there is none. Throws the abort signal's reason only. */
export async function scanTrash({ basePath, subdirectoryName, naming, pacer }: TrashListing): Promise<TrashScan | undefined> {
  const trashPath = join(basePath, TRASH_DIRECTORY);
  const files = new TrashedRows();
  const problems = new ProblemLog();
  const onError = (error: unknown): void => problems.addError(`${subdirectoryName}/${TRASH_DIRECTORY}`, error);
  let foreignEntries = 0;
  if (!isTrash(trashPath, onError)) return problems.list().length === 0 ? undefined : { files, foreignEntries, problems: problems.list() };
  for (const { name: rawName } of readEntries(trashPath, onError)) {
    if (pacer.due()) await pacer.pause();
    const name = decodeRawName(rawName);
    const kind = name.bytes === undefined ? classify(parseTrashEntryName(name.text)?.name ?? '', naming) : 'foreign';
    const stats = kind === 'foreign' ? undefined : statEntry(join(trashPath, name.text), onError);
    if (stats?.isFile() === true) files.push(name.text, kind, stats);
    else foreignEntries += 1;
  }
  return { files, foreignEntries, problems: problems.list() };
}

/** False where there is none; something else in its place is a problem. */
function isTrash(trashPath: string, onError: (error: unknown) => void): boolean {
  const directory = statEntry(trashPath, onError);
  if (directory === undefined || directory.isDirectory()) return directory !== undefined;
  const what = directory.isSymbolicLink() ? 'a symbolic link' : 'no directory';
  onError(Object.assign(new Error(`it is ${what}, where the trash should be; remove it`), { code: 'ENOTDIR' }));
  return false;
}

/** Undefined for what is gone as well. */
function statEntry(path: string, onError: (error: unknown) => void): BigIntStats | undefined {
  try {
    return lstatSync(path, LSTAT);
  } catch (error) {
    onError(error);
    return undefined;
  }
}
