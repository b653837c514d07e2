import type { Report } from '../../model/report.ts';
import { REASON_FACTS, type FileState } from '../../model/reasons.ts';
import { explain } from '../../report/explain/explain.ts';

/** One base file of the image that was asked for, as the agent of its node knows it. */
export interface LocatedFile {
  readonly node: string;
  readonly file: string;
  readonly allocatedBytes: number;
  readonly state: FileState | 'trash';
  /** Workloads, disks and pins that keep it. */
  readonly usedBy: readonly string[];
  /** RFC 3339: the last use; of a file in the trash, when it was moved there. */
  readonly since: string;
  /** RFC 3339: when it is old enough to go, or its grace ends; absent where age does not matter. */
  readonly goesAt?: string;
  /** The agent removes nothing: it only says what would go. */
  readonly dryRun?: true;
  /** When it goes, or what has to happen first. */
  readonly next: string;
}

/** The files of `subject` in one agent's report, those in the trash last. */
export function locatedFiles(node: string, report: Report, subject: string): readonly LocatedFile[] {
  const { files, trash } = explain(report, subject);
  const mode = report.dryRun === true || report.result === 'DryRun' ? { dryRun: true as const } : {};
  const gone = new Set(['removed', 'trashed', 'AlreadyGone']);
  return [
    ...files
      .filter(({ outcome = 'kept' }) => !gone.has(outcome))
      .map(({ name, allocatedBytes, reason, usedBy, modifiedAt, oldEnoughAt, next }): LocatedFile => {
        const state = Object.hasOwn(REASON_FACTS, reason) ? REASON_FACTS[reason].state : 'held';
        const by = [...new Set(usedBy.map((usage) => usage.by))];
        const goesAt = oldEnoughAt === undefined || by.length > 0 ? {} : { goesAt: oldEnoughAt };
        return { node, file: name, allocatedBytes, state, usedBy: by, since: modifiedAt, ...goesAt, ...mode, next };
      }),
    ...trash
      .filter(({ restore }) => restore !== undefined)
      .map(({ entry, allocatedBytes, trashedAt, graceEndsAt, next }): LocatedFile => {
        return { node, file: entry, allocatedBytes, state: 'trash', usedBy: [], since: trashedAt, goesAt: graceEndsAt, ...mode, next };
      }),
  ];
}
