import { digestOf } from '../model/names.ts';
import type { PlannedFile, PlannedTrashedFile } from '../model/plan.ts';
import type { BaseFileStat } from '../model/ports.ts';
import type { BaseFileKind } from '../model/scan.ts';
import type { Intent, IntentAction } from '../model/ledger/records.ts';

/** Of a file in the trash that somebody wants back. */
export function intentToRestore(entry: string, name: string, kind: BaseFileKind, stat: BaseFileStat): Intent {
  return { action: 'restore', ...factsOf({ kind, name, ...stat, identity: stat }), entry, verdict: 'restore', reason: 'RestoreAsked' };
}

type Facts = Pick<PlannedFile, 'kind' | 'name' | 'sizeBytes' | 'allocatedBytes' | 'identity'>;

/** What is recorded of a base file that is to go. */
export function intentOf(file: PlannedFile, action: IntentAction): Intent {
  return { action, ...factsOf(file), verdict: 'remove', reason: file.reason };
}

/** As `intentOf`, of a file in the trash. */
export function intentOfTrashed(file: PlannedTrashedFile, action: IntentAction): Intent {
  const { entry, verdict, reason } = file;
  return { action, ...factsOf(file), entry, verdict: verdict === 'restore' ? verdict : 'empty', reason };
}

function factsOf({ kind, name, sizeBytes, allocatedBytes, identity }: Facts) {
  const { device, inode, modifiedAtNs } = identity;
  const imageSha1 = digestOf({ kind, name });
  return { kind, name, sizeBytes, allocatedBytes, device, inode, modifiedAtNs, ...(imageSha1 === undefined ? {} : { imageSha1 }) };
}
