import { createHash } from 'node:crypto';
import type { Finding, RemovalsLimited } from '../../model/plan.ts';
import type { Report } from '../../model/report.ts';
import type { ObjectReference } from '../../model/workload.ts';
import type { ReportDigest } from '../digest.ts';
import type { EventReason } from './reasons.ts';
import { eventValue, identityOf, type EventValue } from './event.ts';
import { countOf, humanBytes, listSome, shorten } from '../../lib/text.ts';

/** Events about VMs' own objects that one pass may start; what is over the limit comes with the next pass. */
export const OBJECT_EVENTS_PER_PASS = 50;

/** Events about the node itself that begin within a minute; what is over the limit comes with a later pass. */
export const NODE_EVENTS_PER_MINUTE = 4;

/** What an event of the node repeats of one message. */
const BRIEF_CHARACTERS = 160;

/** Names in a note, before "and n more". */
const EXAMPLES = 5;

/** Problems that stand, from one pass to the next: key → the digest of what was said of it and when (ms, the pass's own time). */
export type ProblemMemory = ReadonlyMap<string, { readonly digest: string; readonly atMs: number }>;

export const NO_TROUBLES: ProblemMemory = new Map();

export interface EventInput {
  readonly report: Report;
  readonly digest: ReportDigest;
  /** The Node with its present UID; undefined while that is unknown. */
  readonly node: ObjectReference | undefined;
  readonly memory: ProblemMemory;
  /** A problem that stands unchanged is reported again after so many seconds: the API server forgets events after an hour. */
  readonly reminderSeconds: number;
}

export interface PlannedEvents {
  readonly events: readonly EventValue[];
  readonly memory: ProblemMemory;
}

/** Something that stands or happened, before it is known whether it is news. */
interface Problem {
  readonly reason: EventReason;
  readonly regarding: ObjectReference;
  readonly related?: ObjectReference | undefined;
  /** Equal content is not news. */
  readonly content: string;
  readonly text: string;
}

/** The events that a pass is worth: what is new, changed, or due to be reported again. Nothing happened, nothing said. */
export function planEvents({ report, digest, node, memory, reminderSeconds }: EventInput): PlannedEvents {
  if (node === undefined) return { events: [], memory };
  const nowMs = Date.parse(report.takenAt);
  const events: EventValue[] = [];
  const next = new Map<string, { digest: string; atMs: number }>(digest.decided ? [] : memory);
  let objectEvents = 0;
  const happened = happenings(report, digest, node);
  let nodeEvents = recentNodeEvents(memory, node, nowMs) + happened.length;
  for (const problem of problemsOf(report, digest, node)) {
    const key = `${problem.reason} ${identityOf(problem.regarding)}`;
    const digestOfContent = createHash('sha256').update(problem.content).digest('base64');
    const known = memory.get(key);
    const isNews = known?.digest !== digestOfContent || !isWithin(nowMs - known.atMs, reminderSeconds * 1000);
    if (!isNews) {
      next.set(key, known);
    } else if (problem.regarding === node ? nodeEvents++ < NODE_EVENTS_PER_MINUTE : objectEvents++ < OBJECT_EVENTS_PER_PASS) {
      next.set(key, { digest: digestOfContent, atMs: nowMs });
      events.push(eventValue(problem.reason, { problem: key, regarding: problem.regarding, related: problem.related }, problem.text));
    }
  }
  return { events: [...events, ...happened], memory: next };
}

/** What the pass did, which is always reported. */
function happenings(report: Report, digest: ReportDigest, node: ObjectReference): readonly EventValue[] {
  const { trashedFiles = 0, emptiedFiles = 0, restoredFiles = 0 } = report.trash?.totals ?? {};
  const removed = digest.removedByKind.size > 0 || trashedFiles + emptiedFiles > 0;
  return [
    ...(removed ? [removalSummary(report, digest, node)] : []),
    ...(restoredFiles > 0 ? [restoreSummary(digest, restoredFiles, node)] : []),
  ];
}

function recentNodeEvents(memory: ProblemMemory, node: ObjectReference, nowMs: number): number {
  const about = identityOf(node);
  return [...memory].filter(([key, { atMs }]) => key.endsWith(` ${about}`) && isWithin(nowMs - atMs, 60_000)).length;
}

/** Also false where the clock was set back since: else nothing would be reported again until it has caught up. */
function isWithin(sinceMs: number, limitMs: number): boolean {
  return sinceMs >= 0 && sinceMs < limitMs;
}

/** The memory without problems whose events could not be sent: the next pass reports them again. */
export function forgetProblems(memory: ProblemMemory, keys: ReadonlySet<string>): ProblemMemory {
  return keys.size === 0 ? memory : new Map([...memory].filter(([key]) => !keys.has(key)));
}

function* problemsOf(report: Report, digest: ReportDigest, node: ObjectReference): Generator<Problem> {
  yield* passProblems(report, digest, node);
  for (const reason of [
    'BackingFileMissing',
    'UnmappedWorkload',
    'FilesystemPressure',
    'BudgetExceeded',
    'BaseFileMismatch',
    'LedgerUnwritable',
    'BackingFileUnknown',
  ] as const) {
    // What holds is named by the event that says so.
    const isTold = reason === 'UnmappedWorkload' && report.result === 'Held';
    yield* findingProblems(
      { reason, isTold },
      report.findings.filter(({ type }) => type === reason),
      node,
    );
  }
}

function* passProblems(report: Report, digest: ReportDigest, node: ObjectReference): Generator<Problem> {
  if (report.result === 'Failed') {
    const message = report.message ?? 'no reason given';
    yield { reason: 'PassFailed', regarding: node, content: message, text: `The pass failed: ${message}.` };
  }
  if (report.result === 'Held') {
    const reasons = report.gate.reasons.map(({ reason, message }) => `${reason}: ${brief(message)}`).join('; ');
    const { reclaimableFiles, reclaimableBytes } = digest.remaining;
    const due = report.trash?.totals.dueFiles ?? 0;
    const trashed = due === 0 ? '' : `, and ${countOf(due, 'file')} in the trash whose grace is over`;
    yield {
      reason: 'RemovalHeld',
      regarding: node,
      content: report.gate.reasons.map(({ reason }) => reason).join(' '),
      text: `${countOf(reclaimableFiles, 'unused base file')}, ${humanBytes(reclaimableBytes)}${trashed}, may not be removed: ${reasons}.`,
    };
  }
  if (report.limited !== undefined && !(report.dryRun ?? false) && report.gate.open) yield limitProblem(report.limited, node);
  const failed = digest.outcomes.get('RemovalFailed') ?? 0;
  if (failed > 0) {
    const examples = digest.failedExamples.map(({ name, outcomeMessage }) => `${name} (${outcomeMessage ?? 'reason unknown'})`);
    yield {
      reason: 'BaseFileRemovalFailed',
      regarding: node,
      content: digest.failedExamples.map(({ name }) => name).join(' '),
      text: `${countOf(failed, 'unused base file')} could not be removed: ${listSome(examples, EXAMPLES, failed)}.`,
    };
  }
}

function limitProblem({ removals, waitingFiles }: RemovalsLimited, node: ObjectReference): Problem {
  const text =
    `${countOf(waitingFiles, 'unused base file')} left for the next passes, which go on by themselves: ` +
    `a pass without maxRemovalsPerPass removes a quarter of the base files at most, ${removals} this time.`;
  return { reason: 'RemovalsLimited', regarding: node, content: String(waitingFiles), text };
}

/** What is counted, and what is the matter with it. */
const SUBJECTS = {
  BackingFileMissing: ['disk', 'without a backing file'],
  BackingFileUnknown: ['disk', "on a base file that no workload's image explains"],
  BaseFileMismatch: ['base file', 'not what they should be'],
  BudgetExceeded: ['cache', 'that removals do not bring below its budget'],
  FilesystemPressure: ['file system', 'that removals do not bring below the low threshold'],
  LedgerUnwritable: ['record', 'that cannot be written'],
  UnmappedWorkload: ['pod', 'with the instances path mounted, but mapped to no workload'],
} as const;

/** One for the node that counts them all, and one for each object that is concerned. */
function* findingProblems(
  { reason, isTold }: { readonly reason: keyof typeof SUBJECTS; readonly isTold: boolean },
  findings: readonly Finding[],
  node: ObjectReference,
): Generator<Problem> {
  if (findings.length === 0) return;
  const [noun, matter] = SUBJECTS[reason];
  const examples = findings.slice(0, EXAMPLES).map(({ message }) => brief(message));
  const atNode: Problem = {
    reason,
    regarding: node,
    content: findings
      .map(({ workload, file }) => `${workload ?? ''} ${file ?? ''}`)
      .toSorted()
      .join('\n'),
    text: `${countOf(findings.length, noun)} ${matter}: ${listSome(examples, EXAMPLES, findings.length)}.`,
  };
  if (!isTold) yield atNode;
  for (const [object, own] of byObject(findings)) {
    const messages = own.map(({ message }) => message);
    yield { reason, regarding: object, related: node, content: messages.toSorted().join('\n'), text: `${listSome(messages, EXAMPLES)}.` };
  }
}

/** A message without the remedy, which the event of the object itself has in full. */
function brief(message: string): string {
  return shorten(message.replaceAll(/\. If it runs no VM: (?:\{.*?\]\}\}|kubectl annotate .*?image-ref=')/gsu, ''), BRIEF_CHARACTERS);
}

function byObject(findings: readonly Finding[]): Iterable<[ObjectReference, readonly Finding[]]> {
  const groups = new Map<string, [ObjectReference, Finding[]]>();
  for (const finding of findings) {
    if (finding.object === undefined) continue;
    const key = identityOf(finding.object);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding.object, [finding]]);
    else group[1].push(finding);
  }
  return groups.values();
}

function removalSummary({ totals, trash }: Report, { removedExamples, remaining }: ReportDigest, node: ObjectReference): EventValue {
  const examples = removedExamples.map(({ name, kind, allocatedBytes }) => `${name} (${kind}, ${humanBytes(allocatedBytes)})`);
  const { trashedFiles = 0, trashedBytes = 0, emptiedFiles = 0, emptiedBytes = 0 } = trash?.totals ?? {};
  const gone = totals.removedFiles + trashedFiles;
  const done = [
    ...(totals.removedFiles > 0 ? [`Removed ${countOf(totals.removedFiles, 'unused base file')}, ${humanBytes(totals.removedBytes)}`] : []),
    ...(trashedFiles > 0 ? [`Moved ${countOf(trashedFiles, 'unused base file')}, ${humanBytes(trashedBytes)}, to the trash`] : []),
  ];
  const emptied = emptiedFiles > 0 ? `Emptied ${countOf(emptiedFiles, 'file')}, ${humanBytes(emptiedBytes)}, from the trash. ` : '';
  const text =
    (gone > 0 ? `${done.join('. ')}: ${listSome(examples, EXAMPLES, gone)}. ` : '') +
    `${emptied}${countOf(remaining.files, 'base file')}, ${humanBytes(remaining.allocatedBytes)}, remain.`;
  return eventValue('BaseFilesRemoved', { problem: 'BaseFilesRemoved', regarding: node, related: undefined }, text);
}

function restoreSummary({ trash }: ReportDigest, restoredFiles: number, node: ObjectReference): EventValue {
  const examples = (trash?.restoredExamples ?? []).map(({ name, kind }) => `${name} (${kind})`);
  const text = `Put ${countOf(restoredFiles, 'file')} back from the trash: ${listSome(examples, EXAMPLES, restoredFiles)}.`;
  return eventValue('BaseFilesRestored', { problem: 'BaseFilesRestored', regarding: node, related: undefined }, text);
}
