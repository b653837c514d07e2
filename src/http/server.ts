import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errnoOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../model/ports.ts';
import { type Answer, type Answerer, text } from './answers.ts';
import { readCertificate, watchCertificate, type CertificateFiles } from './certificate.ts';

/** Limits per client; a slow or greedy one must not keep others from the probes. */
export interface HttpLimits {
  /** For the headers of a request, and for the handshake of TLS. Default 5 s. */
  readonly headersTimeoutMs: number;
  /** For a whole request. Default 10 s. */
  readonly requestTimeoutMs: number;
  /** A connection on which nothing moves, because its client takes nothing of its answer, is cut after this. Default 30 s. */
  readonly socketIdleMs: number;
  /** An answer that is there as a whole must be taken within this. Default 60 s. */
  readonly answerTimeoutMs: number;
  /** With more, the oldest is cut: anyone who holds connections must not keep the probes out. Default 128. */
  readonly maxConnections: number;
}

const DEFAULT_LIMITS: HttpLimits = {
  headersTimeoutMs: 5000,
  requestTimeoutMs: 10_000,
  socketIdleMs: 30_000,
  answerTimeoutMs: 60_000,
  maxConnections: 128,
};
const KEEP_ALIVE_MS = 15_000;
const MAX_HEADER_BYTES = 8192;
const MAX_REQUESTS_PER_CONNECTION = 1000;

export interface ListenerOptions {
  readonly answer: Answerer;
  readonly address: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The key of the configuration that the port is from. */
  readonly portKey: string;
  readonly logger: Logger;
  readonly tls?: CertificateFiles | undefined;
  /** How often its files are looked at; default 30 s. */
  readonly certificateLookMs?: number | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
}

export interface Listener {
  /** Throws an error that names address and port when they cannot be had. */
  start(): Promise<{ readonly port: number }>;
  /** Takes no new connections, ends idle ones, and cuts the others after a second. */
  close(): Promise<void>;
}

/** One port of the agent. Reads nothing from its clients but method, path and four headers. */
export function createListener(options: ListenerOptions): Listener {
  let server: Server | undefined;
  let stopWatching: (() => void) | undefined;
  return {
    start: async () => {
      const limits = { ...DEFAULT_LIMITS, ...options.limits };
      if (options.tls === undefined) server = createServer(serverOptions(limits));
      else [server, stopWatching] = await createSecureServer(options, options.tls, limits);
      cutOldest(server, limits.maxConnections);
      server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
      server.timeout = limits.socketIdleMs;
      const isAlone = oneAtATime();
      server.on('request', (request, response) => {
        if (!isAlone(request, response)) return;
        const late = setTimeout(() => response.destroy(), limits.answerTimeoutMs).unref();
        response.once('close', () => clearTimeout(late));
        void handle(options, request, response, () => clearTimeout(late));
      });
      return await listen(server, options);
    },
    close: async () => {
      stopWatching?.();
      if (server !== undefined) await close(server);
    },
  };
}

function serverOptions(limits: HttpLimits) {
  return {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
}

async function createSecureServer(
  { logger, certificateLookMs }: ListenerOptions,
  files: CertificateFiles,
  limits: HttpLimits,
): Promise<[TlsServer, () => void]> {
  const certificate = await readCertificate(files);
  const server = createTlsServer({ ...serverOptions(limits), ...certificate, handshakeTimeout: limits.headersTimeoutMs });
  return [
    server,
    watchCertificate(files, certificate, (changed) => server.setSecureContext({ ...changed }), { logger, everyMs: certificateLookMs }),
  ];
}

function cutOldest(server: Server, maxConnections: number): void {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (open.size > maxConnections) oldest?.destroy();
  });
}

/**
 * Cuts a connection whose client sends a request before the last one is answered. Nobody who scrapes, probes or browses does so, and a
 * thousand requests in one packet would all be answered at once.
 */
function oneAtATime(): (request: IncomingMessage, response: ServerResponse) => boolean {
  const busy = new WeakSet<Socket>();
  return ({ socket }, response) => {
    if (busy.has(socket)) {
      socket.destroy();
      return false;
    }
    busy.add(socket);
    for (const event of ['finish', 'close']) response.once(event, () => busy.delete(socket));
    return true;
  };
}

async function handle(
  { answer, logger }: Pick<ListenerOptions, 'answer' | 'logger'>,
  request: IncomingMessage,
  response: ServerResponse,
  onStream: () => void,
): Promise<void> {
  try {
    const { method = '', url = '/', headers, headersDistinct } = request;
    const { host, accept, authorization } = headers;
    // Which of two names counts, a proxy before us may see otherwise than we do.
    const isTwofold = (headersDistinct['host']?.length ?? 0) > 1;
    const answered = isTwofold
      ? text(400, 'this request has more than one Host header\n')
      : await answer({ method, url, host, accept, authorization });
    await send(response, answered, method === 'HEAD', onStream);
  } catch (error) {
    // The client went away or was too slow, or we have a defect: neither may end the agent.
    const expected = ['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'].includes(errnoOf(error) ?? '');
    if (!expected) logger.error({ error: messageOf(error) }, 'a request could not be answered');
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('internal error\n');
  }
}

async function send(response: ServerResponse, { status, headers, body }: Answer, isHead: boolean, onStream: () => void): Promise<void> {
  response.writeHead(status, typeof body === 'string' ? { ...headers, 'content-length': Buffer.byteLength(body) } : headers);
  if (isHead || typeof body === 'string') {
    response.end(isHead ? undefined : body);
    return;
  }
  // A long report takes its time; the stream itself sees to it that its reader reads.
  onStream();
  await pipeline(Readable.from(body.pieces), response, { signal: body.cut });
}

async function listen(server: Server, { address, port, portKey }: ListenerOptions): Promise<{ port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen({ host: address, port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new Error(`cannot listen on ${address}:${port}: ${adviceFor(error, portKey)}`, { cause: error });
  }
  server.off('error', reject);
  const bound = server.address();
  return { port: typeof bound === 'object' && bound !== null ? bound.port : port };
}

function adviceFor(error: unknown, portKey: string): string {
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: `something else listens there; set ${portKey} to a free port`,
    EACCES: `this user may not; set ${portKey} to 1024 or above`,
    EADDRNOTAVAIL: 'this machine has no such address; set http.address to one of its own, or to 0.0.0.0',
  };
  return advice[errnoOf(error) ?? ''] ?? 'see the cause';
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), 1000);
  await promise;
  clearTimeout(cut);
}
