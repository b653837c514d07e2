import { KubeApiError } from '../../src/kube/errors.ts';
import type { KubeClient, KubeRequest } from '../../src/kube/types.ts';

export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

interface Stored {
  readonly object: KubeObject;
  readonly version: number;
}

interface LoggedEvent {
  readonly path: string;
  readonly version: number;
  /** Undefined: it did not exist before, or does not exist after. */
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

interface OpenWatch {
  readonly request: KubeRequest;
  push(line: unknown): void;
  end(error?: KubeApiError): void;
}

/** An API server in memory: collections, selectors, pagination, watches, and the failures that a test asks for. */
export class MemoryApiServer {
  readonly client: KubeClient = {
    request: async (request) => await this.answer(request),
    stream: (request) => this.watch(request),
    close: () => undefined,
  };
  readonly requests: KubeRequest[] = [];
  /** Called before each answer; what it throws is the answer. */
  intercept: (request: KubeRequest) => void | Promise<void> = () => undefined;
  private readonly collections = new Map<string, Map<string, Stored>>();
  private readonly log: LoggedEvent[] = [];
  private readonly watches = new Set<OpenWatch>();
  private version = 100;
  private oldest = 0;

  constructor(...paths: readonly string[]) {
    for (const path of paths) this.collections.set(path, new Map());
  }

  put(path: string, object: KubeObject): void {
    const before = this.collections.get(path)?.get(object.metadata.uid)?.object;
    this.version += 1;
    this.collections.get(path)?.set(object.metadata.uid, { object, version: this.version });
    this.publish({ path, version: this.version, before, after: object });
  }

  remove(path: string, uid: string): void {
    const before = this.collections.get(path)?.get(uid)?.object;
    this.version += 1;
    this.collections.get(path)?.delete(uid);
    this.publish({ path, version: this.version, before, after: undefined });
  }

  /** Makes a resource appear, as a CRD does. */
  serve(path: string): void {
    this.collections.set(path, new Map());
  }

  /** Makes a resource go away; its watches end. */
  withdraw(path: string): void {
    this.collections.delete(path);
    for (const watch of this.watchesOf(path)) watch.end();
  }

  /** Forgets the past: who watches from before now is answered with 410. */
  compact(): void {
    this.oldest = this.version;
  }

  /** An older state, as after a restored backup: versions go back. */
  rollBack(versions: number): void {
    this.version -= versions;
  }

  send(path: string, line: unknown): void {
    for (const watch of this.watchesOf(path)) watch.push(line);
  }

  bookmark(path: string): void {
    this.send(path, { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.version) } } });
  }

  /** Ends the watches cleanly, or with an error. */
  endWatches(path: string, error?: KubeApiError): void {
    for (const watch of this.watchesOf(path)) watch.end(error);
  }

  openWatches(path: string): number {
    return this.watchesOf(path).length;
  }

  private watchesOf(path: string): readonly OpenWatch[] {
    return [...this.watches].filter(({ request }) => request.path === path);
  }

  private async answer(request: KubeRequest): Promise<unknown> {
    this.requests.push(request);
    await this.intercept(request);
    if (request.signal?.aborted === true) throw new KubeApiError({ reason: 'Aborted', message: 'aborted' });
    return request.path === '/apis' ? this.groups() : (this.resources(request.path) ?? this.list(request));
  }

  private groups(): unknown {
    const names = new Set([...this.collections.keys()].map((path) => /^\/apis\/([^/]+)\//.exec(path)?.[1]).filter(Boolean));
    return { kind: 'APIGroupList', groups: [...names].map((name) => ({ name, versions: [{ version: 'v1' }] })) };
  }

  private resources(path: string): unknown {
    const below = [...this.collections.keys()].filter((key) => key.startsWith(`${path}/`));
    if (!/^\/apis\/[^/]+\/v1$/.test(path)) return undefined;
    return { kind: 'APIResourceList', resources: below.map((key) => ({ name: key.slice(path.length + 1) })) };
  }

  private list({ path, query = {} }: KubeRequest): unknown {
    const [, prefix, namespace, resource] = /^(.+)\/namespaces\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
    const collection = this.collections.get(namespace === undefined ? path : `${prefix}/${resource}`);
    if (collection === undefined) throw new KubeApiError({ status: 404, reason: 'NotFound', message: `${path} not found` });
    if (Number(query['resourceVersion'] ?? 0) > this.version)
      throw new KubeApiError({ status: 504, reason: 'Timeout', message: 'too new' });
    const all = [...collection.values()].filter(
      ({ object }) => matches(object, query) && (namespace === undefined || object.metadata.namespace === namespace),
    );
    const start = Number(query['continue'] ?? 0);
    const end = query['limit'] === undefined || query['resourceVersion'] === '0' ? all.length : start + Number(query['limit']);
    const items = all.slice(start, end).map(({ object, version }) => withVersion(object, version));
    return { metadata: { resourceVersion: String(this.version), ...(end < all.length ? { continue: String(end) } : {}) }, items };
  }

  private async *watch(request: KubeRequest): AsyncGenerator<unknown, void, undefined> {
    this.requests.push(request);
    await this.intercept(request);
    if (!this.collections.has(request.path)) throw new KubeApiError({ status: 404, reason: 'NotFound', message: 'no such resource' });
    const from = Number(request.query?.['resourceVersion']);
    if (from < this.oldest) throw new KubeApiError({ status: 410, reason: 'Expired', message: 'too old resource version' });
    const lines = this.log
      .filter((event) => event.version > from && event.path === request.path)
      .flatMap((event) => lineFor(event, request));
    const queue = openQueue(lines);
    const watch: OpenWatch = { request, push: queue.push, end: queue.end };
    this.watches.add(watch);
    request.signal?.addEventListener('abort', () => queue.end(), { once: true });
    try {
      yield* queue.lines();
    } finally {
      this.watches.delete(watch);
    }
  }

  private publish(event: LoggedEvent): void {
    this.log.push(event);
    for (const watch of this.watchesOf(event.path)) for (const line of lineFor(event, watch.request)) watch.push(line);
  }
}

/** What a watch with selectors sees: an object that no longer matches is DELETED, one that matches now is ADDED. */
function lineFor({ before, after, version }: LoggedEvent, { query = {} }: KubeRequest): unknown[] {
  const was = before !== undefined && matches(before, query);
  const is = after !== undefined && matches(after, query);
  if (!was && !is) return [];
  if (was && !is) return [{ type: 'DELETED', object: withVersion(before, version) }];
  return after === undefined ? [] : [{ type: was ? 'MODIFIED' : 'ADDED', object: withVersion(after, version) }];
}

function withVersion(object: KubeObject, version: number): unknown {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function matches(object: KubeObject, { labelSelector, fieldSelector }: Readonly<Record<string, string>>): boolean {
  const [label, value] = labelSelector?.split('=') ?? [];
  if (label !== undefined && object.metadata.labels?.[label] !== value) return false;
  const [field, wanted] = fieldSelector?.split('=') ?? [];
  if (field === 'metadata.name') return object.metadata.name === wanted;
  return field !== 'spec.nodeName' || (object['spec'] as { nodeName?: string } | undefined)?.nodeName === wanted;
}

function openQueue(first: readonly unknown[]) {
  const waiting = [...first];
  let ended: { readonly error: KubeApiError | undefined } | undefined;
  let wake = (): void => undefined;
  return {
    push: (line: unknown): void => {
      waiting.push(line);
      wake();
    },
    end: (error?: KubeApiError): void => {
      ended ??= { error };
      wake();
    },
    async *lines(): AsyncGenerator<unknown, void, undefined> {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift();
        if (ended?.error !== undefined) throw ended.error;
        if (ended !== undefined) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    },
  };
}
