import type { Readable } from 'node:stream';

/** One request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

/** The head of an answer; the body breaks with an error when the connection does. */
export interface WireResponse {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The server's clock, as the header says it. */
  readonly date: string | undefined;
  readonly body: Readable;
}

export interface Connection {
  /** False once the peer says goodbye or is gone: the next request then needs another connection. */
  usable(): boolean;
  /** Throws `RequestNotProcessed` where the server certainly did nothing, any other error where that is unknown. */
  send(request: WireRequest): Promise<WireResponse>;
  /** Takes no more requests, and closes when the open ones are done. */
  retire(): void;
  /** Breaks everything off at once. */
  destroy(): void;
}

/** The request was refused before it was processed (GOAWAY, REFUSED_STREAM): sending it again on another connection is safe. */
export class RequestNotProcessed extends Error {
  override readonly name = 'RequestNotProcessed';
}

export interface ConnectionTiming {
  /** Default 10 s. */
  readonly connectTimeoutMs: number;
  /** How often an HTTP/2 connection is pinged; default 30 s, as client-go does. */
  readonly pingIntervalMs: number;
  /** A ping that stays unanswered for this long means a dead peer; default 15 s. */
  readonly pingTimeoutMs: number;
}

export const DEFAULT_CONNECTION_TIMING: ConnectionTiming = { connectTimeoutMs: 10_000, pingIntervalMs: 30_000, pingTimeoutMs: 15_000 };
