import { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { parseStatus, readText } from '../client/body.ts';
import { statusError } from '../client/status.ts';
import type { Credentials } from '../credentials/credentials.ts';
import { connectionError, KubeApiError } from '../errors.ts';

/** Kubelet's own protocol, which every API server passes on: the first byte of a message is its channel. */
const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
const ERROR = 1;
export const ERROR_BODY_LIMIT_BYTES = 65_536;
const HANDSHAKE_MS = 30_000;

/** One connection to a port in a pod, by a WebSocket to `url`. Throws `KubeApiError`; with a status where the API server refuses. */
export async function openForwardedPort(url: URL, { headers, tls, proxyAgent }: Credentials, userAgent: string): Promise<Duplex> {
  const socket = new WebSocket(url, [PROTOCOL], {
    ...tls,
    ...(proxyAgent === undefined ? {} : { agent: proxyAgent }),
    headers: { ...headers, 'user-agent': userAgent },
    handshakeTimeout: HANDSHAKE_MS,
    followRedirects: false,
    perMessageDeflate: false,
  });
  // At once: the first messages may come together with the answer to the handshake.
  const port = new ForwardedPort(socket);
  const what = `the port-forward ${url.pathname}`;
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.on('error', (error) => reject(connectionError(`${what} failed`, error)));
    socket.once('unexpected-response', (_request, response) => void refusal(what, response).then(reject, reject));
  });
  return port;
}

async function refusal(what: string, response: IncomingMessage): Promise<KubeApiError> {
  const text = await readText(response, ERROR_BODY_LIMIT_BYTES);
  return statusError(`${what} was answered with ${response.statusCode}`, parseStatus(text), { status: response.statusCode });
}

class ForwardedPort extends Duplex {
  readonly #socket: WebSocket;
  /** The first message of a channel is the number of its port. */
  readonly #begun = new Set<number>();

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data) => this.#take(data as Buffer));
    socket.once('close', () => this.push(null));
    // It may fail before anybody reads it; `errored` still says why then.
    this.on('error', () => undefined);
  }

  #take(message: Buffer): void {
    const [channel = DATA] = message;
    const isFirst = !this.#begun.has(channel);
    this.#begun.add(channel);
    if (isFirst || message.length < 2) return;
    const bytes = message.subarray(1);
    if (channel === ERROR) this.destroy(new KubeApiError({ reason: 'PortForwardFailed', message: oneLine(bytes.toString('utf8')) }));
    else if (channel === DATA && !this.push(bytes)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(DATA), chunk]), (error) => done(error));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').trim();
}
