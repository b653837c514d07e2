import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../lib/errors.ts';
import type { Report } from '../model/plan.ts';
import type { Logger, Reporter } from '../model/ports.ts';
import { digestBuilder, type ReportDigest } from './digest.ts';
import type { ReportPart } from './report-part.ts';

/** Files per turn of the event loop: a report of a million files must not hold up probes. */
const FILES_PER_TURN = 500;

/** Shows a report in all its places. Walks the files once; a part that fails is logged and stops no other. Never rejects. */
export function createReporter(parts: readonly ReportPart[], logger: Logger): Reporter {
  return {
    async publish(report, context = {}) {
      const working = new Set(parts);
      const failed = (part: ReportPart, error: unknown): void => {
        working.delete(part);
        logger.error({ error: messageOf(error) }, 'a part of the report could not be published');
      };
      const digest = await walkFiles(report, working, failed);
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

async function walkFiles(
  report: Report,
  parts: ReadonlySet<ReportPart>,
  failed: (part: ReportPart, error: unknown) => void,
): Promise<ReportDigest> {
  const builder = digestBuilder(report);
  let count = 0;
  for (const file of report.files) {
    builder.add(file);
    for (const part of parts) {
      try {
        part.file?.(file, report);
      } catch (error) {
        failed(part, error);
      }
    }
    if (++count % FILES_PER_TURN === 0) await setImmediate();
  }
  return builder.finish();
}
