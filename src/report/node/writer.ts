import { KubeApiError } from '../../kube/errors.ts';
import type { KubeClient, NodeMetadata, OwnNode } from '../../kube/types.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../model/ports.ts';
import type { Report } from '../../model/report.ts';
import { NODE_ANNOTATIONS } from '../../model/annotation-keys.ts';
import { annotationPatch, ownAnnotations, type Annotations } from './annotations.ts';
import type { ReportDigest } from '../digest.ts';
import { removalOf, type LastRemoval } from '../last-removal.ts';
import { sendWithRetries } from '../../kube/retry.ts';
import type { Timing } from '../../lib/timing.ts';
import { WorkQueue } from '../../lib/work-queue.ts';

/** The answer to a patch is the object; of that we need only its metadata. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

export interface AnnotationWriterOptions {
  readonly client: KubeClient;
  readonly node: OwnNode;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly heartbeatSeconds: number;
  readonly intervalSeconds: number | undefined;
  /** A write waits for a random part of so many seconds, so that a fleet's writes are spread. */
  readonly maxDelaySeconds: number;
  /** Ends waiting; requests in flight go on. */
  readonly hurry: AbortSignal;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

interface Written {
  readonly uid: string;
  annotations: Annotations;
  /** The node's watch has shown them: from then on it shows when somebody else changes them. */
  isSeen: boolean;
}

/** Keeps the node's annotations up to the last report: one merge patch, never a GET, nothing when nothing changed. */
export class AnnotationWriter {
  readonly #options: AnnotationWriterOptions;
  readonly #queue: WorkQueue;
  #latest: { readonly report: Report; readonly digest: ReportDigest } | undefined;
  /** Of this process. It may be older than the latest report, which replaces one that still waits to be written. */
  #removal: LastRemoval | undefined;
  #runNowDone: string | undefined;
  #written: Written | undefined;
  #delayed: AbortController | undefined;

  constructor(options: AnnotationWriterOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options.logger);
  }

  /** @param runNow the value of `run-now` that asked for this pass: its answer does not wait. */
  publish(report: Report, digest: ReportDigest, runNow: string | undefined): void {
    this.#latest = { report, digest };
    this.#removal = removalOf(report) ?? this.#removal;
    if (runNow !== undefined) this.#runNowDone = runNow;
    this.#schedule();
  }

  /** Gives the writer every change that the node's watch shows: a recreated node gets its annotations again. */
  nodeChanged(node: NodeMetadata | undefined): void {
    const written = this.#written;
    if (node === undefined) return;
    if (written?.uid !== node.uid) {
      this.#schedule();
    } else if (Object.entries(written.annotations).every(([key, value]) => node.annotations[key] === value)) {
      written.isSeen = true;
    } else if (written.isSeen) {
      written.annotations = ownAnnotations(node.annotations);
    }
  }

  /** Resolves when nothing is left to write. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #schedule(): void {
    if (this.#runNowDone !== undefined) this.#delayed?.abort();
    // One write in flight and one that waits are enough: the latter takes the newest report.
    if (this.#queue.length < 2) this.#queue.add(() => this.#write());
  }

  async #write(): Promise<void> {
    if (this.#nextPatch() === undefined) return;
    if (this.#runNowDone === undefined) await this.#delay();
    try {
      await sendWithRetries(() => this.#sendPatch(), this.#options.timing, this.#options.hurry);
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      this.#written = undefined;
      if (error.status === 404) return;
      this.#options.logger.warn({ error: messageOf(error) }, "the node's annotations could not be written; the next pass tries again");
    }
  }

  async #delay(): Promise<void> {
    const { timing, maxDelaySeconds, hurry } = this.#options;
    this.#delayed = new AbortController();
    await timing.sleep(timing.random() * maxDelaySeconds * 1000, AbortSignal.any([hurry, this.#delayed.signal]));
    this.#delayed = undefined;
  }

  /** Computed again for each attempt: the report may have changed, or the node, while the last one failed. */
  async #sendPatch(): Promise<void> {
    const next = this.#nextPatch();
    if (next === undefined) return;
    const { node, known, annotations } = next;
    const answer = await this.#options.client.request({
      method: 'PATCH',
      path: `/api/v1/nodes/${encodeURIComponent(node.name)}`,
      query: { fieldManager: 'basekeeper' },
      body: { metadata: { annotations } },
      contentType: 'application/merge-patch+json',
      accept: METADATA_ONLY,
      signal: this.#options.signal,
    });
    this.#written = { uid: uidOf(answer) ?? node.uid, annotations: { ...known, ...annotations }, isSeen: false };
    if (annotations[NODE_ANNOTATIONS.runNowDone] === this.#runNowDone) this.#runNowDone = undefined;
  }

  #nextPatch(): { node: NodeMetadata; known: Annotations; annotations: Annotations } | undefined {
    const node = this.#options.node.current();
    if (node === undefined || this.#latest === undefined) return undefined;
    const known = this.#written?.uid === node.uid ? this.#written.annotations : ownAnnotations(node.annotations);
    const { heartbeatSeconds, intervalSeconds } = this.#options;
    const input = { written: known, heartbeatSeconds, intervalSeconds, runNowDone: this.#runNowDone, earlierRemoval: this.#removal };
    const annotations = annotationPatch({ ...this.#latest, ...input });
    return annotations === undefined ? undefined : { node, known, annotations };
  }
}

function uidOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('metadata' in answer)) return undefined;
  const { metadata } = answer;
  if (typeof metadata !== 'object' || metadata === null || !('uid' in metadata)) return undefined;
  return typeof metadata.uid === 'string' ? metadata.uid : undefined;
}
