import { Agent as HttpAgent, request as httpRequest, type Agent, type ClientRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Connection, WireRequest, WireResponse } from './connection.ts';
import type { Credentials } from '../credentials/credentials.ts';

/** HTTP/1.1 with kept-alive connections: one for each watch, and one for everything else. */
export function http1Connection(server: URL, credentials: Credentials): Connection {
  const agent = credentials.proxyAgent ?? ownAgent(server, credentials);
  const open = new Set<ClientRequest>();
  const base = { protocol: server.protocol, host: bareHost(server), port: server.port, agent, ...credentials.tls };
  const start = server.protocol === 'https:' ? httpsRequest : httpRequest;
  return {
    usable: () => true,
    send: async (request) => await exchange((options) => start({ ...base, ...options }), open, request),
    retire: () => {
      if (open.size === 0) agent.destroy();
    },
    destroy: () => {
      for (const request of open) request.destroy(new Error('the client was closed'));
      agent.destroy();
    },
  };
}

/** The host name without the brackets of an IPv6 address. */
export function bareHost(server: URL): string {
  return server.hostname.replace(/^\[|\]$/g, '');
}

function ownAgent(server: URL, credentials: Credentials): Agent {
  return server.protocol === 'https:' ? new HttpsAgent({ keepAlive: true, ...credentials.tls }) : new HttpAgent({ keepAlive: true });
}

async function exchange(
  start: (options: RequestOptions) => ClientRequest,
  open: Set<ClientRequest>,
  request: WireRequest,
): Promise<WireResponse> {
  return await new Promise<WireResponse>((resolve, reject) => {
    const headers: Record<string, string | number> = { ...request.headers };
    if (request.body !== undefined) headers['content-length'] = Buffer.byteLength(request.body);
    const wire = start({ method: request.method, path: request.path, headers, signal: request.signal });
    open.add(wire);
    wire.once('close', () => open.delete(wire));
    wire.once('response', (response) => {
      resolve({
        status: response.statusCode ?? 0,
        retryAfter: response.headers['retry-after'],
        date: response.headers.date,
        body: response,
      });
    });
    // Not once: a request that is destroyed after its answer may report that as well.
    wire.on('error', reject);
    wire.end(request.body);
  });
}
