import { createHash } from 'node:crypto';
import type { Report } from '../../model/report.ts';
import { cacheSummary } from './cache-summary.ts';
import type { ReportDigest } from '../digest.ts';
import { summarize } from '../summary.ts';

/** The node annotations: the first two are written by operators and read by the agent, the rest the other way round. */
export const ANNOTATION_KEYS = {
  mode: 'basekeeper.io/mode',
  runNow: 'basekeeper.io/run-now',
  runNowDone: 'basekeeper.io/run-now-done',
  lastPass: 'basekeeper.io/last-pass',
  result: 'basekeeper.io/result',
  summary: 'basekeeper.io/summary',
  cache: 'basekeeper.io/cache',
} as const;

/** All annotations that the agent writes, keys and values together, in bytes of UTF-8. */
export const ANNOTATIONS_MAX_BYTES = 2048;

/** A `run-now` value longer than this many bytes is answered by its digest. */
const RUN_NOW_MAX_BYTES = 256;

export type Annotations = Readonly<Record<string, string>>;

export interface AnnotationInput {
  readonly report: Report;
  readonly digest: ReportDigest;
  /** What the node holds as far as we know: what we wrote last, or what its watch showed; undefined where nothing is known. */
  readonly written: Annotations | undefined;
  /** A pass so many seconds after the last one that was written is written even when nothing changed. */
  readonly heartbeatSeconds: number;
  /** The value of `run-now` that this report answers. */
  readonly runNow?: string | undefined;
}

/** The annotations to merge into the node, or undefined when nothing changed: a newer last pass alone is no change. */
export function annotationPatch(input: AnnotationInput): Annotations | undefined {
  const { written, runNow } = input;
  const answer = runNow === undefined ? undefined : runNowAnswer(runNow);
  const wanted = wantedAnnotations(input, answer);
  if (written === undefined || isHeartbeatDue(input, written)) return wanted;
  const isChanged = Object.entries(wanted).some(([key, value]) => key !== ANNOTATION_KEYS.lastPass && written[key] !== value);
  return isChanged ? wanted : undefined;
}

/** What `run-now-done` says when a pass was asked for by this value of `run-now`: the value, or the digest of one that is too long to repeat. */
export function runNowAnswer(value: string): string {
  if (Buffer.byteLength(value) <= RUN_NOW_MAX_BYTES) return value;
  return `sha256:${createHash('sha256').update(value).digest('hex')}`;
}

/** Keys and values together, in bytes of UTF-8. */
export function annotationBytes(annotations: Annotations): number {
  return Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
}

/** Only our own written annotations out of all that an object has. */
export function ownAnnotations(annotations: Annotations): Annotations {
  const { lastPass, result, summary, cache, runNowDone } = ANNOTATION_KEYS;
  const own = [lastPass, result, summary, cache, runNowDone].filter((key) => Object.hasOwn(annotations, key));
  return Object.fromEntries(own.map((key) => [key, annotations[key] ?? '']));
}

function wantedAnnotations({ report, digest, written }: AnnotationInput, answer: string | undefined): Annotations {
  const cache = cacheSummary(report, digest);
  // A pass that decided nothing knows nothing of the cache: what the last one said stays.
  const withCache = (value: object): Annotations => ({
    [ANNOTATION_KEYS.lastPass]: report.takenAt,
    [ANNOTATION_KEYS.result]: report.result,
    [ANNOTATION_KEYS.summary]: summarize(report, digest),
    ...(digest.decided ? { [ANNOTATION_KEYS.cache]: JSON.stringify(value) } : {}),
    ...(answer === undefined ? {} : { [ANNOTATION_KEYS.runNowDone]: answer }),
  });
  const full = withCache(cache);
  const kept = written === undefined ? {} : ownAnnotations(written);
  if (annotationBytes({ ...kept, ...full }) <= ANNOTATIONS_MAX_BYTES) return full;
  return withCache({ ...cache, kinds: undefined });
}

/** Also true when the last pass that was written is no date, or lies in the future. */
function isHeartbeatDue({ report, heartbeatSeconds }: AnnotationInput, written: Annotations): boolean {
  const sinceMs = Date.parse(report.takenAt) - Date.parse(written[ANNOTATION_KEYS.lastPass] ?? '');
  return !(sinceMs >= 0 && sinceMs < heartbeatSeconds * 1000);
}
