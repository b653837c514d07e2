import { isRelieved } from '../model/filesystem.ts';
import type { Policy } from '../model/policy.ts';
import type { BaseDirectory } from '../model/ports.ts';
import type { Result } from './recheck.ts';

/** Why a file that only a full file system asks for stays after all. The file system is asked each time: what is removed may free nothing. */
export function relief(
  { pressure }: Pick<Policy, 'pressure'>,
  directory: Pick<BaseDirectory, 'usage'>,
  { reason }: { readonly reason: string },
): Result | undefined {
  if (reason !== 'UnderPressure' || !isRelieved(directory.usage(), pressure)) return undefined;
  return { outcome: 'kept', message: 'Enough space was freed without it.' };
}
