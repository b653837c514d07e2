import type { Evidence } from '../../model/snapshot.ts';

/** Where anybody on the node may plant base files, or take and remove Nova's locks, neither says anything. */
export function openDirectories({ scan }: Pick<Evidence, 'scan'>): readonly string[] {
  return (scan.openDirectories ?? []).map(
    (path) => `${path} may be written by every user of the node: check what lies there, then chmod o-w it`,
  );
}
