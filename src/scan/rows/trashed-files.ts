import { parseTrashEntryName } from '../../model/trash-names.ts';
import type { BaseFile, BaseFileKind, TrashedFile } from '../../model/scan.ts';
import type { Rows } from '../../model/rows.ts';
import { BaseFileRows, type BaseFileStats } from './base-files.ts';

/** Files in the trash in columns: anyone who removes a million files has a million of them. */
export class TrashedRows implements Rows<TrashedFile> {
  /** By their names in the trash. */
  readonly #rows = new BaseFileRows();

  get length(): number {
    return this.#rows.length;
  }

  push(entry: string, kind: BaseFileKind, stats: BaseFileStats): void {
    this.#rows.push(entry, kind, stats);
  }

  at(index: number): TrashedFile | undefined {
    const row = this.#rows.at(index);
    return row === undefined ? undefined : trashedFile(row);
  }

  *[Symbol.iterator](): Iterator<TrashedFile> {
    for (const row of this.#rows) yield trashedFile(row);
  }
}

function trashedFile(row: BaseFile): TrashedFile {
  const { name, trashedAtMs } = parseTrashEntryName(row.name) ?? { name: row.name, trashedAtMs: Number.POSITIVE_INFINITY };
  return { ...row, name, entry: row.name, trashedAtMs };
}
