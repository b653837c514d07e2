import type { BaseFileKind } from '../model/scan.ts';
import type { Plan, PlannedFile, PlannedTrashedFile } from '../model/plan.ts';
import type { Policy } from '../model/policy.ts';
import { configuredMinimumAgeSeconds } from '../model/names.ts';
import { parseTrashEntryName } from '../model/trash-names.ts';
import { isEntryName } from '../disk/entry-name.ts';

/**
 * Why a row of a plan is not carried out at all, or undefined. No plan that the planner makes contains such a row: this is
 * the last line of defence between a wrong plan and a lost disk.
 */
export function refusalOf(file: PlannedFile, gate: Plan['gate']): string | undefined {
  if (!isEntryName(file.name)) return 'Refused: this is not a file name.';
  if (file.kind === 'foreign') return 'Refused: the file is not ours.';
  if (file.verdict === 'remove' && !gate.open) return 'Refused: the gate is closed.';
  return undefined;
}

/** As `refusalOf`, for a file in the trash: also one that would come back under a name that is not its own. */
export function refusalOfTrashed(file: PlannedTrashedFile, gate: Plan['gate']): string | undefined {
  if (!isEntryName(file.entry) || !isEntryName(file.name)) return 'Refused: this is not a file name.';
  if (file.kind === 'foreign' || parseTrashEntryName(file.entry)?.name !== file.name) return 'Refused: the file is not ours.';
  if (file.verdict === 'empty' && !gate.open) return 'Refused: the gate is closed.';
  return undefined;
}

/** Nova's `_remove_base_file` against `_remove_swap_file` and `_remove_ephemeral_file`: only the former removes lock files. */
export function losesLockFile(kind: BaseFileKind, policy: Policy): boolean {
  return policy.removeLockFiles && (kind === 'original' || kind === 'resized' || kind === 'legacy');
}

/** The age in seconds that `file` must have: the plan's, or the policy's where the plan has none. The floor is not applied here. */
export function minimumAgeSeconds(file: PlannedFile, policy: Policy): number {
  // A foreign file has no minimum age, and is refused before anybody asks.
  return file.minimumAgeSeconds ?? configuredMinimumAgeSeconds(file.kind, policy) ?? Number.POSITIVE_INFINITY;
}
