import { createHash } from 'node:crypto';
import { NODE_ANNOTATIONS } from '../model/annotation-keys.ts';

/** A `run-now` value longer than this many bytes is answered by its digest. */
const MAX_BYTES = 256;

/** What the agent has to answer: the value of `run-now` that waits for a pass, if there is one. */
export function pendingRunNow(annotations: Readonly<Record<string, string>> | undefined, answered: string | undefined): string | undefined {
  if (annotations === undefined || !Object.hasOwn(annotations, NODE_ANNOTATIONS.runNow)) return undefined;
  const wanted = annotations[NODE_ANNOTATIONS.runNow];
  const done = Object.hasOwn(annotations, NODE_ANNOTATIONS.runNowDone) ? annotations[NODE_ANNOTATIONS.runNowDone] : undefined;
  if (wanted === undefined || wanted === answered || runNowAnswer(wanted) === done) return undefined;
  return wanted;
}

/** What `run-now-done` says after a pass that this value of `run-now` asked for: the value, or the digest of one that is too long to repeat. */
export function runNowAnswer(value: string): string {
  if (Buffer.byteLength(value) <= MAX_BYTES) return value;
  return `sha256:${createHash('sha256').update(value).digest('hex')}`;
}
