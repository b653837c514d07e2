import { parseTrashEntryName, type TrashEntryName } from '../../model/trash-names.ts';
import type { BaseDirectory, BaseDirectoryOpener, Clock, FileLocker, TrashDirectory } from '../../model/ports.ts';
import type { RemovalRecord } from '../../model/ledger/recorder.ts';
import type { BaseFileKind } from '../../model/scan.ts';
import type { Outcome } from '../../model/reasons.ts';
import { isEntryName } from '../../disk/entry-name.ts';
import { intentToRestore } from '../intents.ts';
import { isSameFile } from '../recheck.ts';
import { recorded } from './recorded-restore.ts';
import { putBack } from './trashed-file.ts';
import { underLock } from '../under-lock.ts';

export interface RestoreParts {
  readonly locker: FileLocker;
  readonly directories: BaseDirectoryOpener;
  readonly clock: Clock;
  readonly basePath: string;
  readonly lockTimeoutSeconds: number;
  readonly kindOf: (name: string) => BaseFileKind;
  /** Begins a record of what is restored; undefined: it is not recorded. */
  readonly beginRecord: (() => Promise<RemovalRecord>) | undefined;
}

export interface TrashEntry extends TrashEntryName {
  /** Its name in the trash. */
  readonly entry: string;
  readonly modifiedAtMs: number;
}

export interface Restored {
  readonly outcome: Outcome | 'NotInTrash';
  /** Undefined where nothing was found. */
  readonly entry: TrashEntry | undefined;
  /** Why it was not restored. */
  readonly message?: string | undefined;
  /** Why the ledger has no record of it. */
  readonly unrecorded?: string | undefined;
}

/** What lies in the trash and has not come back, newest first. Throws an errno error when the base directory or the trash cannot be read. */
export function listTrash({ directories, basePath }: Pick<RestoreParts, 'directories' | 'basePath'>): readonly TrashEntry[] {
  const directory = directories.open(basePath);
  return withTrash(directory, (trash) => (trash === undefined ? [] : entriesOf(trash).filter((entry) => !isBack(directory, trash, entry))));
}

/**
 * Puts a file back from the trash, under its Nova lock and never over a base file that is there; its age counts from now. It keeps its name
 * in the trash, by which a disk may use it, until the next pass. `wanted` is the name of a base file (then the one that was trashed last),
 * or a name in the trash. Throws an errno error when the trash cannot be opened.
 */
export async function restoreFile(parts: RestoreParts, wanted: string, signal: AbortSignal | undefined): Promise<Restored> {
  const directory = parts.directories.open(parts.basePath);
  return await withTrash(directory, async (trash) => {
    const entry = trash === undefined ? undefined : entriesOf(trash).find((it) => it.name === wanted || it.entry === wanted);
    if (trash === undefined || entry === undefined) return { outcome: 'NotInTrash', entry: undefined };
    let unrecorded: string | undefined;
    const lockParts = { ...parts, policy: parts, signal, onLockWait: () => {} };
    const result = await underLock(lockParts, {
      name: entry.name,
      failure: 'RestoreFailed',
      removeLockFile: false,
      work: async () => {
        const stat = trash.stat(entry.entry);
        if (stat?.regular !== true) return { outcome: 'AlreadyGone' };
        const work = () => putBack({ ...parts, directory, trash }, entry);
        if (directory.stat(entry.name) !== undefined) return work();
        const intent = intentToRestore(entry.entry, entry.name, parts.kindOf(entry.name), stat);
        const { unrecorded: why, ...restored } = await recorded(parts.beginRecord, intent, work);
        unrecorded = why;
        return restored;
      },
    });
    return { ...result, entry, unrecorded };
  });
}

function withTrash<T>(directory: BaseDirectory, use: (trash: TrashDirectory | undefined) => T): T {
  let trash: TrashDirectory | undefined;
  const close = (): void => {
    trash?.close();
    directory.close();
  };
  try {
    trash = directory.openTrash({ create: false });
    const result = use(trash);
    if (result instanceof Promise) return result.finally(close) as T;
    close();
    return result;
  } catch (error) {
    close();
    throw error;
  }
}

/** Its name in the trash stays until a pass has seen that no disk uses it by that name. */
function isBack(directory: BaseDirectory, trash: TrashDirectory, { entry, name }: TrashEntry): boolean {
  const [here, there] = [trash.stat(entry), directory.stat(name)];
  return here !== undefined && there !== undefined && isSameFile(here, there);
}

function entriesOf(trash: TrashDirectory): TrashEntry[] {
  const entries = trash.list().flatMap((entry): TrashEntry[] => {
    const parsed = parseTrashEntryName(entry);
    if (parsed === undefined || !isEntryName(parsed.name)) return [];
    const stat = trash.stat(entry);
    return stat?.regular === true ? [{ ...parsed, entry, modifiedAtMs: stat.modifiedAtMs }] : [];
  });
  return entries.toSorted((a, b) => b.trashedAtMs - a.trashedAtMs);
}
