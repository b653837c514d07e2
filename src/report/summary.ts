import type { Report } from '../model/report.ts';
import type { ReportDigest } from './digest.ts';
import { movedParts, remainingTrash } from './trash.ts';
import { countOf, humanBytes, printable, shorten } from '../lib/text.ts';

/** The summary's longest form, in characters. */
export const SUMMARY_MAX_CHARACTERS = 256;

/**
 * One line for people, without ages and times so that it changes only when the node does:
 * `42 base files, 118.2 GiB; 3 removable, 12.0 GiB; held: SourceNotSynced`.
 */
export function summarize(report: Report, digest: ReportDigest): string {
  return shorten(printable(summaryParts(report, digest).join('; ')), SUMMARY_MAX_CHARACTERS);
}

function summaryParts({ result, message, totals, gate, trash }: Report, { decided, remaining }: ReportDigest): string[] {
  const problem =
    result === 'Failed' || result === 'Skipped' ? [`${result === 'Failed' ? 'failed' : 'skipped'}: ${message ?? 'no reason given'}`] : [];
  if (!decided && problem.length > 0) return problem;
  return [
    ...problem,
    `${countOf(remaining.files, 'base file')}, ${humanBytes(remaining.allocatedBytes)}`,
    ...(totals.removedFiles > 0 ? [`${totals.removedFiles} removed, ${humanBytes(totals.removedBytes)}`] : []),
    ...(trash === undefined ? [] : movedParts(trash.totals)),
    ...(remaining.reclaimableFiles > 0 ? [`${remaining.reclaimableFiles} removable, ${humanBytes(remaining.reclaimableBytes)}`] : []),
    ...trashPart(trash),
    ...(gate.open || result === 'Failed' ? [] : [`held: ${gate.reasons.map(({ reason }) => reason).join(', ')}`]),
  ];
}

function trashPart(trash: Report['trash']): string[] {
  const { files, bytes } = trash === undefined ? { files: 0, bytes: 0 } : remainingTrash(trash);
  return files === 0 ? [] : [`${files} in the trash, ${humanBytes(bytes)}`];
}
