import { mapRows } from '../../lib/rows.ts';
import type { Rows } from '../../model/rows.ts';
import type { PlannedTrashedFile } from '../../model/plan.ts';
import type { TrashedFile } from '../../model/scan.ts';
import type { Facts } from '../facts.ts';
import { timestamp } from '../../lib/timestamp.ts';
import { graceEndMs, trashRuleOf } from './rules.ts';

/** The plan's rows of the trash, made from the scan's row and the verdict's byte when somebody looks. */
export function plannedTrash(facts: Pick<Facts, 'policy'>, files: Rows<TrashedFile>, verdicts: Uint8Array): Rows<PlannedTrashedFile> {
  return mapRows(files, (file, index) => plannedTrashedFile(facts, file, verdicts[index] ?? 0));
}

function plannedTrashedFile(facts: Pick<Facts, 'policy'>, file: TrashedFile, decided: number): PlannedTrashedFile {
  const { entry, name, kind, sizeBytes, allocatedBytes, trashedAtMs } = file;
  const { verdict, reason } = trashRuleOf(decided);
  return {
    entry,
    name,
    kind,
    sizeBytes,
    allocatedBytes,
    trashedAt: timestamp(trashedAtMs),
    graceEndsAt: timestamp(graceEndMs(facts, trashedAtMs)),
    verdict,
    reason,
    identity: { device: String(file.device), inode: String(file.inode), modifiedAtNs: String(file.modifiedAtNs) },
  };
}
