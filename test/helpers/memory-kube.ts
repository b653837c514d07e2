import { KubeApiError } from '../../src/kube/errors.ts';
import type { KubeClient, KubeRequest, NodeMetadata, OwnNode } from '../../src/kube/types.ts';
import type { Clock, Logger } from '../../src/model/ports.ts';
import type { Timing } from '../../src/lib/timing.ts';
import { TAKEN_AT } from './reports.ts';

/** What the API server keeps of an event: the body as it was posted, with the series of later patches. */
export interface StoredEvent {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid: string };
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** The writing half of an API server, in memory: nodes and their patches, events and their series. */
export interface MemoryKube extends KubeClient {
  readonly requests: readonly KubeRequest[];
  readonly events: ReadonlyMap<string, StoredEvent>;
  /** Refuses requests with what this returns; undefined lets them through. */
  refuse: (request: KubeRequest) => KubeApiError | undefined;
  /** Creates the node, or replaces it by another one of its name. */
  putNode(name: string, uid: string, annotations?: Readonly<Record<string, string>>): void;
  deleteNode(name: string): void;
  node(name: string): NodeMetadata | undefined;
  /** The API server's TTL. */
  forgetEvents(): void;
  /** Our own Node as its watch shows it, which is when `show` is called. */
  watchNode(name: string): OwnNode & { show(): void };
}

export function memoryKube(): MemoryKube {
  const nodes = new Map<string, NodeMetadata>();
  const events = new Map<string, StoredEvent>();
  const requests: KubeRequest[] = [];
  const kube: MemoryKube = {
    requests,
    events,
    refuse: () => undefined,
    putNode: (name, uid, annotations = {}) => void nodes.set(name, { name, uid, annotations }),
    deleteNode: (name) => void nodes.delete(name),
    node: (name) => nodes.get(name),
    forgetEvents: () => events.clear(),
    watchNode: (name) => memoryNode(() => nodes.get(name)),
    async request(request) {
      await Promise.resolve();
      requests.push(request);
      const refusal = kube.refuse(request);
      if (refusal !== undefined) throw refusal;
      return answer(request, nodes, events);
    },
    // eslint-disable-next-line require-yield
    async *stream() {
      await Promise.resolve();
      throw new Error('the memory twin has no watches');
    },
    close: () => undefined,
  };
  return kube;
}

export function apiError(status: number | undefined, retryAfterSeconds?: number): KubeApiError {
  return new KubeApiError({
    status,
    reason: status === undefined ? 'ConnectionFailed' : String(status),
    message: `answered ${status}`,
    retryAfterSeconds,
  });
}

function answer(request: KubeRequest, nodes: Map<string, NodeMetadata>, events: Map<string, StoredEvent>): unknown {
  const { method, path, body } = request;
  if (method === 'GET' && path === '/api/v1/nodes') return pageOfNodes([...nodes.values()], request.query ?? {});
  const nodeName = /^\/api\/v1\/nodes\/([^/]+)$/.exec(path)?.[1];
  if (method === 'GET' && nodeName !== undefined) return getNode(nodes, nodeName);
  if (method === 'PATCH' && nodeName !== undefined) return patchNode(nodes, nodeName, body as NodePatch);
  const [, namespace, eventName] = /^\/apis\/events\.k8s\.io\/v1\/namespaces\/([^/]+)\/events(?:\/(.+))?$/.exec(path) ?? [];
  if (namespace === undefined) throw apiError(404);
  if (method === 'POST' && eventName === undefined) return createEvent(events, namespace, body as StoredEvent);
  if (method === 'PATCH' && eventName !== undefined) return patchEvent(events, `${namespace}/${eventName}`, body as Partial<StoredEvent>);
  throw apiError(405);
}

/** `continue` is the number of the page's first node. */
function pageOfNodes(nodes: readonly NodeMetadata[], { limit, continue: start = '0' }: Readonly<Record<string, string>>): unknown {
  const end = Number(start) + Number(limit ?? nodes.length);
  return {
    metadata: { resourceVersion: '1', ...(end < nodes.length ? { continue: String(end) } : {}) },
    items: nodes.slice(Number(start), end).map((metadata) => ({ metadata })),
  };
}

function getNode(nodes: Map<string, NodeMetadata>, name: string): unknown {
  const metadata = nodes.get(name);
  if (metadata === undefined) throw apiError(404);
  return { metadata };
}

interface NodePatch {
  readonly metadata: { readonly annotations: Readonly<Record<string, string | null>> };
}

function patchNode(nodes: Map<string, NodeMetadata>, name: string, { metadata }: NodePatch): unknown {
  const node = nodes.get(name);
  if (node === undefined) throw apiError(404);
  const merged = Object.entries({ ...node.annotations, ...metadata.annotations });
  const annotations = Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null));
  const patched = { ...node, annotations };
  nodes.set(name, patched);
  return { metadata: patched };
}

function createEvent(events: Map<string, StoredEvent>, namespace: string, event: StoredEvent): unknown {
  const key = `${namespace}/${event.metadata.name}`;
  if (event.metadata.namespace !== namespace) throw apiError(422);
  if (events.has(key)) throw apiError(409);
  events.set(key, event);
  return event;
}

function patchEvent(events: Map<string, StoredEvent>, key: string, patch: Partial<StoredEvent>): unknown {
  const event = events.get(key);
  if (event === undefined) throw apiError(404);
  const patched = { ...event, ...patch };
  events.set(key, patched);
  return patched;
}

function memoryNode(read: () => NodeMetadata | undefined): OwnNode & { show(): void } {
  const listeners = new Set<(node: NodeMetadata | undefined) => void>();
  let shown = read();
  return {
    start: () => undefined,
    stop: () => Promise.resolve(),
    current: () => shown,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    show() {
      shown = read();
      for (const listener of listeners) listener(shown);
    },
  };
}

/** A clock that stands still unless it is moved. */
export function manualClock(): Clock & { advance(seconds: number): void } {
  let ms = 0;
  return {
    now: () => ({ wallMs: Date.parse(TAKEN_AT) + ms, monotonicMs: ms }),
    advance: (seconds) => void (ms += seconds * 1000),
  };
}

/** Waits for nothing, and remembers for how long it should have. */
export function memoryTiming(random = 0.5): Timing & { readonly slept: readonly number[] } {
  const slept: number[] = [];
  return {
    slept,
    random: () => random,
    async sleep(ms) {
      await Promise.resolve();
      slept.push(ms);
    },
  };
}

/** Waits until it is told to go on. */
export function heldTiming(): Timing & { readonly waiting: () => number; release(): void } {
  const waiters = new Set<() => void>();
  const release = (): void => {
    for (const waiter of waiters) waiter();
    waiters.clear();
  };
  return {
    random: () => 0.5,
    waiting: () => waiters.size,
    release,
    sleep: (_ms, signal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        waiters.add(resolve);
        signal.addEventListener('abort', () => {
          waiters.delete(resolve);
          resolve();
        });
      }),
  };
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export function memoryLogger(): Logger & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
