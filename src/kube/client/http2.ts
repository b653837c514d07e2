import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { PassThrough } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Connection, type ConnectionTiming, type WireRequest, type WireResponse, RequestNotProcessed } from './connection.ts';
import { errnoOf } from '../../lib/errors.ts';

/** Enough for a page of a list without waiting for window updates. */
const WINDOW_BYTES = 1 << 20;

const REFUSED = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION']);

/** HTTP/2 over a socket that negotiated it. Pings find out when the peer is gone though no packet says so. */
export function http2Connection(server: URL, socket: TLSSocket, timing: ConnectionTiming): Connection {
  const session = connect(server.origin, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
  });
  // What breaks a session breaks its streams, and whatever waits for them fails with it.
  session.on('error', () => undefined);
  session.once('connect', () => {
    // The client may have been closed since.
    if (!session.destroyed) session.setLocalWindowSize(WINDOW_BYTES);
  });
  watchPeer(session, timing);
  return {
    usable: () => !session.closed && !session.destroyed,
    send: async (request) => await exchange(session, request),
    retire: () => session.close(),
    // Without an error, streams would seem to have ended well.
    destroy: () => session.destroy(new Error('the client was closed')),
  };
}

function watchPeer(session: ClientHttp2Session, timing: ConnectionTiming): void {
  let overdue: NodeJS.Timeout | undefined;
  const ping = (): void => {
    if (session.destroyed || overdue !== undefined) return;
    overdue = setTimeout(() => session.destroy(new Error('the API server answers no ping')), timing.pingTimeoutMs).unref();
    session.ping((error) => {
      if (error !== null) return;
      clearTimeout(overdue);
      overdue = undefined;
    });
  };
  const timer = setInterval(ping, timing.pingIntervalMs).unref();
  session.once('close', () => {
    clearInterval(timer);
    clearTimeout(overdue);
  });
}

async function exchange(session: ClientHttp2Session, request: WireRequest): Promise<WireResponse> {
  const stream = openStream(session, request);
  const body = bodyOf(stream);
  return await new Promise<WireResponse>((resolve, reject) => {
    stream.once('response', (headers) => {
      stream.pipe(body, { end: false });
      resolve({
        status: Number(headers[':status']),
        retryAfter: typeof headers['retry-after'] === 'string' ? headers['retry-after'] : undefined,
        date: typeof headers.date === 'string' ? headers.date : undefined,
        body,
      });
    });
    // 'close' comes last, after 'error' where there is one; after 'response' the rejection has no effect.
    stream.once('close', () => {
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) reject(new RequestNotProcessed('the API server refused the stream'));
      else reject(body.errored ?? new Error('the connection closed before the API server answered'));
    });
    stream.end(request.body);
  });
}

/**
 * The answer's body as a stream of its own, which may be read late. An `Http2Stream` calls itself closed as soon as the peer has ended it, and
 * Node's async iteration takes that for a connection that broke, though the whole answer is still there to be read. And it emits 'end' when its
 * connection breaks, as if half an answer were a whole one.
 */
function bodyOf(stream: ClientHttp2Stream): PassThrough {
  const body = new PassThrough();
  let failure: Error | undefined;
  stream.once('error', (error: Error) => {
    failure = error;
  });
  // Before all other listeners: some of them destroy the stream on a good end as well.
  stream.once('end', () => {
    if (!stream.destroyed && stream.rstCode === constants.NGHTTP2_NO_ERROR) body.end();
  });
  stream.once('close', () => {
    if (!body.writableEnded) body.destroy(failure ?? new Error('the connection closed before the whole answer was there'));
  });
  // Reading the body throws it, however late: nothing needs to be reading when it happens.
  body.on('error', () => undefined);
  // Anyone who gives up the body gives up the request.
  body.once('close', () => stream.destroy());
  return body;
}

function openStream(session: ClientHttp2Session, request: WireRequest): ClientHttp2Stream {
  try {
    return session.request(
      { ...request.headers, ':method': request.method, ':path': request.path },
      { endStream: request.body === undefined, signal: request.signal },
    );
  } catch (error) {
    if (REFUSED.has(errnoOf(error) ?? '')) throw new RequestNotProcessed('the connection was closing', { cause: error });
    throw error;
  }
}
