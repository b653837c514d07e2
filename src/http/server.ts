import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errnoOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../model/ports.ts';
import { type Answer, type Answerer, createAnswerer, type HttpRoutes } from './routes.ts';

/** Limits per client; a slow or greedy one must not keep others from the probes. */
export interface HttpLimits {
  /** For the headers of a request. Default 5 s. */
  readonly headersTimeoutMs: number;
  /** For a whole request. Default 10 s. */
  readonly requestTimeoutMs: number;
  /** A connection on which nothing moves, because its client takes nothing of its answer, is cut after this. Default 30 s. */
  readonly socketIdleMs: number;
  /** With more, the oldest is cut: anyone who holds connections must not keep the probes out. Default 128. */
  readonly maxConnections: number;
}

const DEFAULT_LIMITS: HttpLimits = { headersTimeoutMs: 5000, requestTimeoutMs: 10_000, socketIdleMs: 30_000, maxConnections: 128 };
const KEEP_ALIVE_MS = 15_000;
const MAX_HEADER_BYTES = 8192;
const MAX_REQUESTS_PER_CONNECTION = 1000;

export interface HttpServerOptions extends HttpRoutes {
  readonly address: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly logger: Logger;
  readonly limits?: Partial<HttpLimits> | undefined;
}

export interface HttpServer {
  /** Throws an error that names address and port when they cannot be had. */
  start(): Promise<{ readonly port: number }>;
  /** Takes no new connections, ends idle ones, and cuts the others after a second. */
  close(): Promise<void>;
}

/** Metrics, probes, report and status page. Reads nothing from its clients but method, path and two headers. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  cutOldest(server, limits.maxConnections);
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  server.timeout = limits.socketIdleMs;
  const answer = createAnswerer(options);
  server.on('request', (request, response) => void handle(answer, options.logger, request, response));
  return {
    start: () => listen(server, options),
    close: () => close(server),
  };
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

async function handle(answer: Answerer, logger: Logger, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { method = '', url = '/', headers } = request;
    await send(response, await answer({ method, url, accept: headers.accept }), method === 'HEAD');
  } catch (error) {
    // The client went away, or we have a defect: neither may end the agent.
    if (errnoOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') logger.error({ error: messageOf(error) }, 'a request could not be answered');
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('internal error\n');
  }
}

async function send(response: ServerResponse, { status, headers, body }: Answer, isHead: boolean): Promise<void> {
  response.writeHead(status, typeof body === 'string' ? { ...headers, 'content-length': Buffer.byteLength(body) } : headers);
  if (isHead || typeof body === 'string') response.end(isHead ? undefined : body);
  else await pipeline(Readable.from(body), response);
}

async function listen(server: Server, { address, port }: HttpServerOptions): Promise<{ port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen({ host: address, port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new Error(`cannot listen on ${address}:${port}: ${adviceFor(error)}`, { cause: error });
  }
  server.off('error', reject);
  const bound = server.address();
  return { port: typeof bound === 'object' && bound !== null ? bound.port : port };
}

function adviceFor(error: unknown): string {
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something else listens there; set http.port to a free port',
    EACCES: 'this user may not; set http.port to 1024 or above',
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
