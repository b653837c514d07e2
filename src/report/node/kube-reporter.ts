import type { KubeClient, OwnNode } from '../../kube/types.ts';
import { NODE_ANNOTATIONS } from '../../model/annotation-keys.ts';
import type { Mode } from '../../model/policy.ts';
import type { Clock, Logger } from '../../model/ports.ts';
import type { Report } from '../../model/report.ts';
import type { ObjectReference } from '../../model/workload.ts';
import { AnnotationWriter } from './writer.ts';
import type { ReportDigest } from '../digest.ts';
import { shorten } from '../../lib/text.ts';
import { eventValue } from '../events/event.ts';
import { EventRecorder } from '../events/recorder.ts';
import { forgetProblems, NO_TROUBLES, planEvents, type ProblemMemory } from '../events/plan-events.ts';
import type { ReportPart } from '../report-part.ts';
import { systemTiming, type Timing } from '../../lib/timing.ts';

const SWEEP_MS = 60_000;
/** How long `close` waits for what has not been written yet. */
const CLOSE_GRACE_MS = 2000;

export interface KubeReporterOptions {
  readonly client: KubeClient;
  readonly node: OwnNode;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `reportingInstance` of events, such as `basekeeper-node-1`. */
  readonly instance: string;
  /** Default true. */
  readonly annotations?: boolean | undefined;
  /** Default true. */
  readonly events?: boolean | undefined;
  /** Default 3600. */
  readonly heartbeatSeconds?: number | undefined;
  /** From one pass to the next, where that is known. */
  readonly intervalSeconds?: number | undefined;
  /** A problem that stands is reported again after so many seconds. Default 3600: the API server forgets an event after an hour. */
  readonly reminderSeconds?: number | undefined;
  /** Writes to the node wait for a random part of so many seconds. Default 10; an answer to `run-now` never waits. */
  readonly maxDelaySeconds?: number | undefined;
  readonly timing?: Timing | undefined;
}

export interface KubeReporter extends ReportPart {
  /** Says that the node's annotation is not a mode. */
  tellUnknownMode(value: string, instead: Mode): void;
  /** Resolves when nothing is left to write. */
  idle(): Promise<void>;
  /** Writes at once what still waits, for two seconds at most, then stops. */
  close(): Promise<void>;
}

/** Shows reports at the node: its annotations, and events. Publishing never waits for the API server and never fails. */
export function createKubeReporter(options: KubeReporterOptions): KubeReporter {
  const hurry = new AbortController();
  const stop = new AbortController();
  const parts = createParts(options, { hurry: hurry.signal, signal: stop.signal });
  const { writer, recorder } = parts;
  const idle = async (): Promise<void> => {
    await Promise.all([writer.idle(), recorder.idle()]);
  };
  const unsubscribe = options.node.onChange((node) => {
    if (options.annotations !== false) writer.nodeChanged(node);
  });
  const sweeper = setInterval(() => recorder.sweep(), SWEEP_MS).unref();
  return {
    publish(report, digest, { runNowDone }) {
      if (options.annotations !== false) writer.publish(report, digest, runNowDone);
      if (options.events !== false) parts.tellEvents(report, digest);
      return Promise.resolve();
    },
    tellUnknownMode(value, instead) {
      const regarding = options.events === false ? undefined : nodeReference(options.node);
      if (regarding === undefined) return;
      const text = `${NODE_ANNOTATIONS.mode} is ${JSON.stringify(shorten(value, 60))}, which is not a mode; the mode is ${instead} until then.`;
      recorder.record(eventValue('UnknownMode', { problem: 'UnknownMode', regarding }, text));
    },
    idle,
    async close() {
      clearInterval(sweeper);
      unsubscribe();
      hurry.abort();
      const grace = new AbortController();
      await Promise.race([idle(), (options.timing ?? systemTiming).sleep(CLOSE_GRACE_MS, grace.signal)]);
      grace.abort();
      stop.abort();
    },
  };
}

interface Parts {
  readonly writer: AnnotationWriter;
  readonly recorder: EventRecorder;
  tellEvents(report: Report, digest: ReportDigest): void;
}

function createParts(options: KubeReporterOptions, signals: { hurry: AbortSignal; signal: AbortSignal }): Parts {
  const {
    client,
    node,
    clock,
    logger,
    instance,
    intervalSeconds,
    heartbeatSeconds = 3600,
    reminderSeconds = 3600,
    maxDelaySeconds = 10,
  } = options;
  const shared = { client, node, clock, logger, instance, timing: options.timing ?? systemTiming, ...signals };
  let memory: ProblemMemory = NO_TROUBLES;
  const forget = (keys: ReadonlySet<string>): void => {
    memory = forgetProblems(memory, keys);
  };
  const recorder = new EventRecorder({ ...shared, onDropped: ({ problem }) => forget(new Set([problem])) });
  return {
    writer: new AnnotationWriter({ ...shared, heartbeatSeconds, intervalSeconds, maxDelaySeconds }),
    recorder,
    tellEvents(report, digest) {
      const planned = planEvents({ report, digest, node: nodeReference(node), memory, reminderSeconds });
      memory = planned.memory;
      forget(new Set(planned.events.filter((event) => !recorder.record(event)).map(({ problem }) => problem)));
    },
  };
}

function nodeReference(node: OwnNode): ObjectReference | undefined {
  const current = node.current();
  return current === undefined ? undefined : { apiVersion: 'v1', kind: 'Node', name: current.name, uid: current.uid };
}
