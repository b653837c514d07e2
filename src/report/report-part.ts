import type { PlannedFile, PlannedTrashedFile } from '../model/plan.ts';
import type { Reporter } from '../model/ports.ts';
import type { Report } from '../model/report.ts';
import type { ReportDigest } from './digest.ts';

export type PublishContext = NonNullable<Parameters<Reporter['publish']>[1]>;

/** One of the places where a report is shown. */
export interface ReportPart {
  /** Called for each file of the report, before `publish`. */
  file?(file: PlannedFile, report: Report): void;
  /** Called for each file in the trash, before `publish`. */
  trashedFile?(file: PlannedTrashedFile, report: Report): void;
  publish(report: Report, digest: ReportDigest, context: PublishContext): Promise<void>;
}
