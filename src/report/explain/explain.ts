import { createHash } from 'node:crypto';
import type { Finding, Gate, Plan, PlannedFile } from '../../model/plan.ts';
import type { Report } from '../../model/report.ts';
import { OUTCOMES, VERDICT_REASONS } from '../../model/reasons.ts';
import { explainTrash, type ExplainedTrashedFile } from './trash.ts';
import { restoreHere, type RestoreCommand } from './restore-command.ts';
import { shortAge } from '../terminal/cells.ts';

/** Why one base file, or every file of one image, is still there, or in the trash. */
export interface Explanation {
  readonly apiVersion: 'basekeeper.io/v1';
  readonly kind: 'Explanation';
  readonly node: string;
  readonly takenAt: string;
  readonly basePath: string;
  /** The file name or image id that was asked for. */
  readonly subject: string;
  /** SHA-1 of the subject: the name of its base file, if it is an image id. */
  readonly digest: string;
  readonly gate: Gate;
  readonly files: readonly ExplainedFile[];
  /** What was removed and can be taken back. */
  readonly trash: readonly ExplainedTrashedFile[];
}

export interface ExplainedFile extends PlannedFile {
  /** What the rule that decided says. */
  readonly rule: string;
  /** When the file may become removable, or what has to happen first. */
  readonly next: string;
  /** RFC 3339: when it is old enough, if nothing uses it until then. Absent where age does not matter. */
  readonly oldEnoughAt?: string | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Explains a file name, a path below the base directory, or an image id with all files of it; `files` and `trash` are empty where nothing
 * matches. `restore` says how a file in the trash is put back; default: on this machine. Pure.
 */
export function explain(plan: Plan | Report, subject: string, restore: RestoreCommand = restoreHere(plan.basePath)): Explanation {
  const digest = createHash('sha1').update(subject, 'utf8').digest('hex');
  const name = fileNameOf(plan.basePath, subject);
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'Explanation',
    node: plan.node,
    takenAt: plan.takenAt,
    basePath: plan.basePath,
    subject,
    digest,
    gate: plan.gate,
    files: matching(plan.files, name, digest).map((file) => explained(plan, file)),
    trash: explainTrash(plan, name, { matching: (files) => matching(files, name, digest), restore }),
  };
}

type Named = Pick<PlannedFile, 'name' | 'kind'>;

function matching<F extends Named>(files: Iterable<F>, name: string, digest: string): readonly F[] {
  const exact: F[] = [];
  const ofImage: F[] = [];
  for (const file of files) {
    if (file.name === name) exact.push(file);
    else if (belongsTo(file, digest) || belongsTo(file, name)) ofImage.push(file);
  }
  // A file name asks for that file; an image id, or the digest of one, for all files of the image.
  const [file] = exact;
  return file !== undefined && file.kind !== 'original' ? exact : [...exact, ...ofImage];
}

function belongsTo({ name, kind }: Named, digest: string): boolean {
  if (kind !== 'original' && kind !== 'resized' && kind !== 'legacy') return false;
  return digest.length === 40 && name.startsWith(digest) && (name.length === 40 || name[40] === '_');
}

function fileNameOf(basePath: string, subject: string): string {
  const directory = `${basePath.slice(basePath.lastIndexOf('/') + 1)}/`;
  for (const prefix of [`${basePath}/`, directory, `./${directory}`]) {
    if (subject.startsWith(prefix)) return subject.slice(prefix.length);
  }
  return subject;
}

function explained(plan: Plan | Report, file: PlannedFile): ExplainedFile {
  const oldEnoughAt = oldEnoughAtOf(plan, file);
  return {
    ...file,
    rule: Object.hasOwn(VERDICT_REASONS, file.reason) ? VERDICT_REASONS[file.reason] : '',
    next: nextOf(plan, file, oldEnoughAt),
    ...(oldEnoughAt === undefined ? {} : { oldEnoughAt }),
    findings: plan.findings.filter((finding) => finding.file === file.name),
  };
}

/** A file in use that gets touched counts its age from the pass; every other from its mtime. */
function oldEnoughAtOf(plan: Plan | Report, { minimumAgeSeconds, ageSeconds, verdict }: PlannedFile): string | undefined {
  if (minimumAgeSeconds === undefined || verdict === 'touch') return undefined;
  const atMs = Date.parse(plan.takenAt) + (minimumAgeSeconds - ageSeconds) * 1000;
  const at = new Date(atMs);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

function nextOf(plan: Plan | Report, file: PlannedFile, oldEnoughAt: string | undefined): string {
  const { reason, outcome, outcomeMessage, minimumAgeSeconds = 0, ageSeconds } = file;
  const detail = outcomeMessage === undefined ? '' : ` (${outcomeMessage})`;
  if (outcome !== undefined && outcome !== 'kept' && outcome !== 'touched') return `${OUTCOMES[outcome] ?? outcome}${detail}`;
  switch (reason) {
    case 'ForeignFile':
      return 'It is never removed.';
    case 'ReferencedByWorkload':
    case 'BackingFileOfOverlay':
      return `It stays while it is used. Once nothing uses it, it becomes removable ${shortAge(minimumAgeSeconds)} after the last use.`;
    case 'BackingFileOfBaseFile':
      return 'It stays while another base file is backed by it. Once that one has gone, the next pass looks at this file again.';
    case 'PinnedByConfig':
      return 'It stays until its pin is taken away: from the configuration, the node or the ConfigMap that it is used by.';
    case 'RemovalDisabled':
      return 'It stays until the configuration says removeUnusedBaseImages: true.';
    case 'YoungerThanMinimumAge':
      return `It becomes removable at ${oldEnoughAt ?? 'an unknown time'}, in ${shortAge(minimumAgeSeconds - ageSeconds)}, if nothing uses it until then.`;
    case 'GateClosed':
      return `It goes in the first pass whose gate is open. The gate is closed: ${plan.gate.reasons.map((closure) => closure.reason).join(', ')}.`;
    case 'RemovalLimitReached':
      return 'It goes in one of the next passes; maxRemovalsPerPass lets older files go first.';
    case 'UnderPressure':
    case 'OverBudget':
    case 'Unused':
      return 'The next pass that enforces removes it.';
    default:
      return '';
  }
}
