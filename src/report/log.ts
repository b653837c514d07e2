import type { Finding, PlannedFile, PlannedTrashedFile } from '../model/plan.ts';
import type { Report } from '../model/report.ts';
import type { Logger } from '../model/ports.ts';
import type { ReportDigest } from './digest.ts';
import type { ReportPart } from './report-part.ts';
import { summarize } from './summary.ts';
import { printable } from '../lib/text.ts';

/** Findings that are logged one by one in a pass; the rest is counted. */
const FINDINGS_PER_PASS = 100;

/** One line per pass and per removal at info; findings, failures and closed gates at warn when they are new. */
export function createLogReporter(logger: Logger): ReportPart {
  let known: ReadonlySet<string> = new Set();
  let heldBefore = '';
  return {
    file: (file) => logFile(logger, file),
    trashedFile: (file) => logTrashedFile(logger, file),
    publish(report, digest) {
      if (digest.decided) {
        known = logNewFindings(logger, report.findings, known);
        heldBefore = logGate(logger, report, heldBefore);
      }
      logPass(logger, report, digest);
      return Promise.resolve();
    },
  };
}

function logFile(logger: Logger, { name, kind, allocatedBytes, ageSeconds, outcome, outcomeMessage, verdict }: PlannedFile): void {
  // What a stopped pass leaves may be thousands of files: the line of the pass counts them and says why.
  if (outcome === undefined || outcome === 'kept' || outcome === 'touched' || outcome === 'Abandoned') return;
  const fields = {
    file: printable(name),
    kind,
    allocatedBytes,
    ageSeconds,
    outcome,
    ...(outcomeMessage === undefined ? {} : { reason: printable(outcomeMessage) }),
  };
  if (outcome === 'removed') logger.info(fields, 'removed an unused base file');
  else if (outcome === 'trashed') logger.info(fields, 'moved an unused base file to the trash');
  else if (outcome === 'RemovalFailed') logger.error(fields, 'a base file could not be removed');
  else if (outcome === 'TouchFailed') logger.warn(fields, 'the modification time of a base file in use could not be set');
  else if (verdict === 'remove') logger.info(fields, 'a base file was not removed');
}

function logTrashedFile(
  logger: Logger,
  { entry, kind, allocatedBytes, verdict, reason, outcome, outcomeMessage }: PlannedTrashedFile,
): void {
  if (verdict === 'keep' || outcome === undefined || outcome === 'Abandoned') return;
  const message = outcomeMessage === undefined ? {} : { message: printable(outcomeMessage) };
  const fields = { file: printable(entry), kind, allocatedBytes, outcome, reason, ...message };
  if (outcome === 'emptied') logger.info(fields, 'removed a file from the trash for good');
  else if (outcome === 'restored') logger.info(fields, 'put a file back from the trash');
  else if (outcome === 'RestoreFailed' || outcome === 'RemovalFailed') logger.error(fields, 'a file in the trash could not be dealt with');
  else if (outcome !== 'kept') logger.info(fields, 'a file was left in the trash');
}

function logNewFindings(logger: Logger, findings: readonly Finding[], known: ReadonlySet<string>): ReadonlySet<string> {
  const now = new Set<string>();
  let said = 0;
  let unsaid = 0;
  for (const finding of findings) {
    const key = JSON.stringify([finding.type, finding.file, finding.workload, finding.message]);
    if (now.has(key)) continue;
    if (!known.has(key) && said >= FINDINGS_PER_PASS) {
      unsaid++;
      continue;
    }
    now.add(key);
    if (known.has(key)) continue;
    said++;
    logFinding(logger, finding);
  }
  if (unsaid > 0) logger.warn({ findings: unsaid }, 'more findings are new; they are in the report');
  return now;
}

function logFinding(logger: Logger, { type, file, workload, message }: Finding): void {
  const about = {
    ...(file === undefined ? {} : { file: printable(file) }),
    ...(workload === undefined ? {} : { workload: printable(workload) }),
  };
  logger.warn({ finding: type, ...about }, printable(message));
}

function logGate(logger: Logger, { gate }: Report, before: string): string {
  const held = gate.reasons.map(({ reason }) => reason).join(' ');
  if (held !== before && !gate.open) {
    const reasons = gate.reasons.map(({ reason, message }) => ({ reason, message: printable(message) }));
    logger.warn({ reasons }, 'removals are held');
  }
  if (held !== before && gate.open) logger.info({}, 'removals are no longer held');
  return held;
}

function logPass(logger: Logger, report: Report, digest: ReportDigest): void {
  const { result, message, durationSeconds, totals, gate, findings } = report;
  const fields = {
    result,
    durationSeconds: Math.round(durationSeconds * 1000) / 1000,
    files: digest.remaining.files,
    allocatedBytes: digest.remaining.allocatedBytes,
    reclaimableFiles: digest.remaining.reclaimableFiles,
    reclaimableBytes: digest.remaining.reclaimableBytes,
    removedFiles: totals.removedFiles,
    removedBytes: totals.removedBytes,
    ...(digest.trash === undefined ? {} : { trashFiles: digest.trash.remaining.files, trashBytes: digest.trash.remaining.bytes }),
    findings: findings.length,
    ...(gate.open ? {} : { held: gate.reasons.map(({ reason }) => reason) }),
    ...(message === undefined ? {} : { reason: printable(message) }),
  };
  const line = `pass ended: ${summarize(report, digest)}`;
  if (result === 'Failed') logger.error(fields, line);
  else logger.info(fields, line);
}
