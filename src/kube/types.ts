import type { ClockReading } from '../model/snapshot.ts';

/** Small interfaces over the Kubernetes API: what sources and reporters need, and what tests replace. */

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Path below the server, such as `/api/v1/nodes/node-a`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  /** Default `application/json`; a merge patch needs `application/merge-patch+json`. */
  readonly contentType?: string | undefined;
  /** Default `application/json`. */
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * For a list: may be called with each of its items as soon as that has come, so that no more than one is held. The answer then has no
   * items. What a client does not hand on so is in the answer.
   */
  readonly onItem?: ((object: unknown) => void) | undefined;
  /** Default 30 s. */
  readonly timeoutMs?: number | undefined;
}

export interface KubeClient {
  /** The parsed JSON body of a 2xx answer. Throws `KubeApiError` for every other answer and for network problem. Does not retry. */
  request(request: KubeRequest): Promise<unknown>;
  /** Opens a watch; yields one parsed object per line until the server ends it, the signal aborts or it breaks (throws `KubeApiError`). */
  stream(request: KubeRequest & { readonly idleTimeoutMs: number }): AsyncIterable<unknown>;
  /** What the server's clock said with its last answer, and ours at that moment; undefined before the first. */
  serverTime?(): { readonly serverMs: number; readonly at: ClockReading } | undefined;
  close(): void;
}

/** A port that a pod listens on, were it on loopback only. Names as they stand in a path. */
export interface PodPort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** The JSON that a pod answers to a GET, asked by a port-forward. Throws `KubeApiError` for everything else. */
export type PodReader = (
  request: PodPort & { readonly path: string; readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<unknown>;

/** Called once per finished request: for `basekeeper_api_requests_total{verb,code}`. `code` is `error` where no answer came. */
export type RequestObserver = (verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete', code: string) => void;

export interface NodeMetadata {
  readonly name: string;
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Our own Node, watched as PartialObjectMetadata: its UID (which changes when the node is recreated) and its annotations. */
export interface OwnNode {
  start(): void;
  stop(): Promise<void>;
  /** Undefined until the first list, and while the node does not exist. */
  current(): NodeMetadata | undefined;
  /** Calls back on every change of UID or annotations; returns the unsubscriber. */
  onChange(listener: (node: NodeMetadata | undefined) => void): () => void;
}
