import type { Intent } from '../model/ledger/records.ts';
import type { BaseFileStat } from '../model/ports.ts';

/** Why a removal leaves the file system as full as it is; undefined: it frees space. */
export function freesNothing({ action }: Pick<Intent, 'action'>, seen: BaseFileStat | undefined): string | undefined {
  if (action === 'trash') return 'it would go to the trash, which frees nothing';
  if (action === 'restore') return 'it would lose one of its names only, which frees nothing';
  if (seen === undefined) return 'it is gone already';
  if (seen.links > 1) return 'it has another name, so its removal frees nothing';
  return seen.allocatedBytes > 0 ? undefined : 'it takes no space, so its removal frees nothing';
}
