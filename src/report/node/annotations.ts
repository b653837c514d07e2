import { AGENT_ANNOTATIONS, NODE_ANNOTATIONS } from '../../model/annotation-keys.ts';
import type { Report } from '../../model/report.ts';
import { cacheSummary } from './cache-summary.ts';
import { imageListText } from '../image-list.ts';
import type { ReportDigest } from '../digest.ts';
import { lastRemovalText, removalOf, type LastRemoval } from '../last-removal.ts';
import { summarize } from '../summary.ts';
import { wantedSummary, wantedText } from '../wanted.ts';

/** All annotations that the agent writes, keys and values together, in bytes of UTF-8. */
export const ANNOTATIONS_MAX_BYTES = 2048;

export type Annotations = Readonly<Record<string, string>>;

export interface AnnotationInput {
  readonly report: Report;
  readonly digest: ReportDigest;
  /** What the node holds as far as we know: what we wrote last, or what its watch showed; undefined where nothing is known. */
  readonly written: Annotations | undefined;
  /** A pass so many seconds after the last one that was written is written even when nothing changed. */
  readonly heartbeatSeconds: number;
  /** From one pass to the next, where that is known. */
  readonly intervalSeconds?: number | undefined;
  /** The answer to `run-now`, where this report is one. */
  readonly runNowDone?: string | undefined;
  /** What an earlier pass removed, which counts where this one removed nothing. */
  readonly earlierRemoval?: LastRemoval | undefined;
}

/** The annotations to merge into the node, or undefined when nothing changed: a newer last pass alone is not a change. */
export function annotationPatch(input: AnnotationInput): Annotations | undefined {
  const { written } = input;
  const wanted = wantedAnnotations(input);
  if (written === undefined || isHeartbeatDue(input, written)) return wanted;
  const isChanged = Object.entries(wanted).some(([key, value]) => key !== NODE_ANNOTATIONS.lastPass && written[key] !== value);
  return isChanged ? wanted : undefined;
}

/** Keys and values together, in bytes of UTF-8. */
export function annotationBytes(annotations: Annotations): number {
  return Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
}

/** Only our own written annotations out of all that an object has. */
export function ownAnnotations(annotations: Annotations): Annotations {
  const own = AGENT_ANNOTATIONS.filter((key) => Object.hasOwn(annotations, key));
  return Object.fromEntries(own.map((key) => [key, annotations[key] ?? '']));
}

function wantedAnnotations(input: AnnotationInput): Annotations {
  const { report, digest, written, runNowDone } = input;
  const cache = cacheSummary(report, digest, silentAfter(input));
  const removal = removalOf(report) ?? input.earlierRemoval;
  // A pass that decided nothing knows nothing of the cache: what the last one said stays.
  const withCache = (value: object): Annotations => ({
    [NODE_ANNOTATIONS.lastPass]: report.takenAt,
    [NODE_ANNOTATIONS.result]: report.result,
    [NODE_ANNOTATIONS.summary]: summarize(report, digest),
    ...(digest.decided ? { [NODE_ANNOTATIONS.cache]: JSON.stringify(value) } : {}),
    ...wantedAnnotation(report, digest, written),
    ...(removal === undefined ? {} : { [NODE_ANNOTATIONS.lastRemoval]: lastRemovalText(removal) }),
    ...(runNowDone === undefined ? {} : { [NODE_ANNOTATIONS.runNowDone]: runNowDone }),
  });
  const full = withCache(cache);
  const { [NODE_ANNOTATIONS.images]: _, ...kept } = written === undefined ? {} : ownAnnotations(written);
  const roomBeside = (others: Annotations): number => ANNOTATIONS_MAX_BYTES - annotationBytes({ ...kept, ...others });
  const fits = roomBeside(full) >= 0 ? full : withCache({ ...cache, kinds: undefined });
  if (!digest.decided) return fits;
  const images = imageListText(digest.images, roomBeside(fits) - NODE_ANNOTATIONS.images.length);
  return images === undefined ? fits : { ...fits, [NODE_ANNOTATIONS.images]: images };
}

/** A merge patch leaves what it does not name: a node that nobody wants images on any more is said to want none. */
function wantedAnnotation({ wanted = [] }: Report, { decided }: ReportDigest, written: Annotations | undefined): Annotations {
  const wasWritten = written !== undefined && Object.hasOwn(written, NODE_ANNOTATIONS.wantedImages);
  if (!decided || (wanted.length === 0 && !wasWritten)) return {};
  return { [NODE_ANNOTATIONS.wantedImages]: wantedText(wantedSummary(wanted)) };
}

/** The first pass after the heartbeat writes; two further ones may fail to. */
function silentAfter({ intervalSeconds, heartbeatSeconds }: AnnotationInput): number | undefined {
  return intervalSeconds === undefined ? undefined : Math.max(heartbeatSeconds, intervalSeconds) + 2 * intervalSeconds;
}

/** Also true when the last pass that was written is not a date, or lies in the future. */
function isHeartbeatDue({ report, heartbeatSeconds }: AnnotationInput, written: Annotations): boolean {
  const sinceMs = Date.parse(report.takenAt) - Date.parse(written[NODE_ANNOTATIONS.lastPass] ?? '');
  return !(sinceMs >= 0 && sinceMs < heartbeatSeconds * 1000);
}
