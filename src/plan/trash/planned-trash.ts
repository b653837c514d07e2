import type { Rows } from '../../model/rows.ts';
import type { PlannedTrashedFile } from '../../model/plan.ts';
import type { TrashedFile } from '../../model/scan.ts';
import type { Facts } from '../facts.ts';
import { timestamp } from '../../lib/timestamp.ts';
import { graceEndMs, trashRuleOf } from './rules.ts';

/** The plan's rows of the trash, made from the scan's row and the verdict's byte when somebody looks. */
export class PlannedTrash implements Rows<PlannedTrashedFile> {
  readonly length: number;
  readonly #facts: Pick<Facts, 'policy'>;
  readonly #files: Rows<TrashedFile>;
  readonly #verdicts: Uint8Array;

  constructor(facts: Pick<Facts, 'policy'>, files: Rows<TrashedFile>, verdicts: Uint8Array) {
    this.length = files.length;
    this.#facts = facts;
    this.#files = files;
    this.#verdicts = verdicts;
  }

  at(index: number): PlannedTrashedFile | undefined {
    const file = this.#files.at(index);
    return file === undefined ? undefined : this.#plan(file, this.#verdicts.at(index) ?? 0);
  }

  *[Symbol.iterator](): Iterator<PlannedTrashedFile> {
    let index = 0;
    for (const file of this.#files) yield this.#plan(file, this.#verdicts[index++] ?? 0);
  }

  toJSON(): PlannedTrashedFile[] {
    return [...this];
  }

  #plan(file: TrashedFile, decided: number): PlannedTrashedFile {
    const { entry, name, kind, sizeBytes, allocatedBytes, trashedAtMs } = file;
    const { verdict, reason } = trashRuleOf(decided);
    return {
      entry,
      name,
      kind,
      sizeBytes,
      allocatedBytes,
      trashedAt: timestamp(trashedAtMs),
      graceEndsAt: timestamp(graceEndMs(this.#facts, trashedAtMs)),
      verdict,
      reason,
      identity: { device: String(file.device), inode: String(file.inode), modifiedAtNs: String(file.modifiedAtNs) },
    };
  }
}
