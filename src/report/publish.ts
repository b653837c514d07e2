import { messageOf } from '../lib/errors.ts';
import { runInSlices } from '../lib/pacer.ts';
import type { Report } from '../model/report.ts';
import type { Logger, Reporter } from '../model/ports.ts';
import { digestInSlices, type ReportDigest } from './digest.ts';
import type { ReportPart } from './report-part.ts';

/** Shows a report in all its places. Walks the rows once, in slices; a part that fails is logged and stops no other. Never rejects. */
export function createReporter(parts: readonly ReportPart[], logger: Logger): Reporter {
  return {
    async publish(report, context = {}) {
      const working = new Set(parts);
      const failed = (part: ReportPart, error: unknown): void => {
        working.delete(part);
        logger.error({ error: messageOf(error) }, 'a part of the report could not be published');
      };
      const digest = await walkRows(report, working, failed);
      await Promise.all(
        [...working].map(async (part) => {
          try {
            await part.publish(report, digest, context);
          } catch (error) {
            failed(part, error);
          }
        }),
      );
    },
  };
}

async function walkRows(
  report: Report,
  parts: ReadonlySet<ReportPart>,
  failed: (part: ReportPart, error: unknown) => void,
): Promise<ReportDigest> {
  const show = (visit: (part: ReportPart) => void): void => {
    for (const part of parts) {
      try {
        visit(part);
      } catch (error) {
        failed(part, error);
      }
    }
  };
  const work = digestInSlices(report, {
    file: (file) => show((part) => part.file?.(file, report)),
    trashedFile: (file) => show((part) => part.trashedFile?.(file, report)),
  });
  return runInSlices(work, undefined);
}
