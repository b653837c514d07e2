import { asText, at } from '../lib/json.ts';
import type { GateReason } from '../model/reasons.ts';
import { NODE_ANNOTATIONS } from '../model/annotation-keys.ts';
import { parseLastRemoval, type LastRemoval } from '../report/last-removal.ts';
import { parseWanted, type WantedSummary } from '../report/wanted.ts';
import { parseCacheSummary, type CacheSummary } from '../report/node/cache-summary.ts';
import { printable, shorten } from '../lib/text.ts';

/** Longest text that is taken over from an annotation. */
const TEXT_MAX_CHARACTERS = 300;

/** What the annotations of one node say. Everything but the name is absent where the agent has not written it. */
export interface NodeStatus {
  readonly node: string;
  /** What the annotation says, else what the last pass says; absent where neither does, as when it failed. */
  readonly mode?: string;
  readonly modeFrom?: 'annotation' | 'result';
  readonly result?: string;
  /** RFC 3339; written again when something changed, or after `heartbeatSeconds`. */
  readonly lastPass?: string;
  readonly summary?: string;
  readonly cache?: CacheSummary;
  /** The last pass that removed something; the last pass may be a later one. */
  readonly lastRemoval?: LastRemoval;
  /** Of the images that somebody wants there; absent where nobody does. */
  readonly wanted?: WantedSummary;
  /** Gate reasons; empty where the gate is open or nothing is known. */
  readonly held: readonly GateReason[];
  /** The value of `run-now` that waits for its pass. */
  readonly waitingFor?: string;
  /** The value of `run-now` that was answered last. */
  readonly answered?: string;
  /** Why the agent does not answer, as far as its pod says; absent where it runs, or where that is unknown. */
  readonly agentProblem?: string;
}

/** Reads a Node, or only its metadata; undefined for what is not an object with a name. Texts are made safe to show. */
export function nodeStatusOf(object: unknown): NodeStatus | undefined {
  const node = asText(at(object, 'metadata', 'name'));
  if (node === undefined) return undefined;
  const raw = (key: keyof typeof NODE_ANNOTATIONS) => asText(at(object, 'metadata', 'annotations', NODE_ANNOTATIONS[key]));
  const text = (key: keyof typeof NODE_ANNOTATIONS) => shown(raw(key));
  const cache = parseCacheSummary(raw('cache') ?? '');
  const [waiting, answered] = [text('runNow'), text('runNowDone')];
  return defined({
    node,
    ...modeOf(text('mode'), text('result'), cache),
    result: text('result'),
    lastPass: instantOf(raw('lastPass')),
    summary: text('summary'),
    cache,
    lastRemoval: parseLastRemoval(text('lastRemoval')),
    wanted: parseWanted(raw('wantedImages')),
    held: cache?.held ?? [],
    waitingFor: waiting === answered ? undefined : waiting,
    answered,
  }) as unknown as NodeStatus;
}

/** Where the agent does not say it: it writes at least every `heartbeatSeconds`, an hour unless configured otherwise. */
export const SILENT_AFTER_SECONDS = 2 * 3600;

/** No agent has written there, or none for long. `nowMs`: wall clock. */
export function isSilent({ result, lastPass, cache }: NodeStatus, nowMs: number): boolean {
  const limitSeconds = cache?.silentAfter ?? SILENT_AFTER_SECONDS;
  return result === undefined || lastPass === undefined || nowMs - Date.parse(lastPass) > limitSeconds * 1000;
}

/** For sorting names of nodes: node-2 comes before node-10. */
export const compareNodeNames: (left: string, right: string) => number = new Intl.Collator('en', { numeric: true }).compare;

function modeOf(
  annotation: string | undefined,
  result: string | undefined,
  cache: CacheSummary | undefined,
): Pick<NodeStatus, 'mode' | 'modeFrom'> {
  if (annotation !== undefined) return { mode: annotation, modeFrom: 'annotation' };
  if (result === 'Held' && cache?.mode !== undefined) return { mode: cache.mode, modeFrom: 'result' };
  if (result === 'DryRun') return { mode: 'dry-run', modeFrom: 'result' };
  return result === 'Succeeded' ? { mode: 'enforce', modeFrom: 'result' } : {};
}

function instantOf(text: string | undefined): string | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

function shown(text: string | undefined): string | undefined {
  return text === undefined ? undefined : shorten(printable(text), TEXT_MAX_CHARACTERS);
}

function defined(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
