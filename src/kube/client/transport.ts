import { createHash } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { type Connection, type ConnectionTiming, type WireRequest, type WireResponse, RequestNotProcessed } from './connection.ts';
import type { Credentials } from '../credentials/credentials.ts';
import { KubeApiError, connectionError } from '../errors.ts';
import { bareHost, http1Connection } from './http1.ts';
import { http2Connection } from './http2.ts';

export interface Transport {
  /** Resolves with the head of the answer; throws `KubeApiError` (or what the signal aborted it with) when there is none. */
  send(request: WireRequest, credentials: Credentials): Promise<WireResponse>;
  close(): void;
}

interface Live {
  readonly key: string;
  readonly proxyAgent: unknown;
  readonly opening: Promise<Connection>;
  opened: Connection | undefined;
}

/**
 * One HTTP/2 connection for everything where the server speaks HTTP/2, as client-go does; else HTTP/1.1 (a proxy, a plain-text
 * server, or a load balancer whose ALPN offers no more). A connection is opened when a request needs it, never before.
 */
export function createTransport(server: URL, timing: ConnectionTiming): Transport {
  let live: Live | undefined;
  let closed = false;

  const acquire = async (credentials: Credentials): Promise<Connection> => {
    if (closed) throw new KubeApiError({ reason: 'Closed', message: 'the client was closed' });
    const key = fingerprint(credentials);
    const fits = live !== undefined && live.key === key && live.proxyAgent === credentials.proxyAgent;
    if (live !== undefined && fits && live.opened?.usable() !== false) return await live.opening;
    live?.opened?.retire();
    const entry: Live = { key, proxyAgent: credentials.proxyAgent, opening: open(server, credentials, timing), opened: undefined };
    live = entry;
    try {
      entry.opened = await entry.opening;
    } catch (error) {
      if (live === entry) live = undefined;
      throw connectionError(`no connection to ${server.origin}`, error);
    }
    if (closed) entry.opened.destroy();
    else if (live !== entry) entry.opened.retire();
    return entry.opened;
  };

  const send = async (request: WireRequest, credentials: Credentials): Promise<WireResponse> =>
    await (await acquire(credentials)).send(request);

  return {
    send: async (request, credentials) => {
      try {
        return await send(request, credentials);
      } catch (error) {
        if (!(error instanceof RequestNotProcessed)) throw error;
        return await send(request, credentials);
      }
    },
    close: () => {
      closed = true;
      live?.opened?.destroy();
      live = undefined;
    },
  };
}

async function open(server: URL, credentials: Credentials, timing: ConnectionTiming): Promise<Connection> {
  if (server.protocol !== 'https:' || credentials.proxyAgent !== undefined) return http1Connection(server, credentials);
  const socket = await openTls(server, credentials, timing.connectTimeoutMs);
  if (socket.alpnProtocol === 'h2') return http2Connection(server, socket, timing);
  socket.destroy();
  return http1Connection(server, credentials);
}

async function openTls(server: URL, credentials: Credentials, timeoutMs: number): Promise<TLSSocket> {
  return await new Promise<TLSSocket>((resolve, reject) => {
    const port = server.port === '' ? 443 : Number(server.port);
    const socket = connect({ ALPNProtocols: ['h2', 'http/1.1'], ...credentials.tls, host: bareHost(server), port });
    const timer = setTimeout(() => socket.destroy(new Error(`no TLS connection within ${timeoutMs} ms`)), timeoutMs);
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
    });
  });
}

/** A rotated certificate or CA needs a new connection; a rotated token does not. */
function fingerprint(credentials: Credentials): string {
  const hash = createHash('sha256');
  for (const [name, value] of Object.entries(credentials.tls)) {
    hash.update(name).update(Buffer.isBuffer(value) ? value : JSON.stringify(value));
  }
  return hash.digest('hex');
}
