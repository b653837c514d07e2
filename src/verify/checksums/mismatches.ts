import type { ChecksumRecords } from '../../model/ports.ts';
import { isRecordOf, mismatchOf, type ChecksumRecord } from './record.ts';

/** The base files that are known not to be what was recorded of them. */
export class KnownMismatches implements ChecksumRecords {
  readonly #records = new Map<string, ChecksumRecord>();

  note(name: string, record: ChecksumRecord | undefined): void {
    if (record?.differs === undefined) this.#records.delete(name);
    else this.#records.set(name, record);
  }

  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#records.keys()) if (!names.has(name)) this.#records.delete(name);
  }

  mismatchOf({ name, inode, sizeBytes }: Parameters<ChecksumRecords['mismatchOf']>[0]): string | undefined {
    const record = this.#records.get(name);
    return record !== undefined && isRecordOf({ inode: inode.toString(), sizeBytes }, record) ? mismatchOf(record) : undefined;
  }
}
