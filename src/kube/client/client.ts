import { systemClock } from '../../lib/clock.ts';
import { orAborted } from '../../lib/or-aborted.ts';
import { parseJson, parseStatus, readLines, readText } from './body.ts';
import type { KubeConfigLoader } from '../credentials/config.ts';
import { DEFAULT_CONNECTION_TIMING, type ConnectionTiming, type WireResponse } from './connection.ts';
import { createCredentialSource, type CredentialSource } from '../credentials/credentials.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { ListSizes, readList } from './list-answer.ts';
import { KubeApiError, connectionError } from '../errors.ts';
import { statusError } from './status.ts';
import { createTransport, type Transport } from './transport.ts';
import type { KubeClient, KubeRequest, RequestObserver } from '../types.ts';
import { verbOf } from './verb.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RESPONSE_LIMIT_BYTES = 64 * 1024 * 1024;
/** Of a list no more than one object is held: its length costs time, which has a limit of its own. */
const DEFAULT_LIST_LIMIT_BYTES = 512 * 1024 * 1024;
/** etcd holds objects of up to 1.5 MiB; their JSON is larger, but never by this much. */
const OBJECT_LIMIT_BYTES = 16 * 1024 * 1024;
const ERROR_BODY_LIMIT_BYTES = 1024 * 1024;

export interface KubeClientOptions {
  /** Credentials, TLS and proxy are taken from what it loads; nothing else. Called again after a 401. Or credentials that others use as well. */
  readonly kubeConfig: KubeConfigLoader | CredentialSource;
  readonly userAgent: string;
  readonly observe?: RequestObserver | undefined;
  readonly timing?: Partial<ConnectionTiming> | undefined;
  /** An answer longer than this is refused. Default 64 MiB. */
  readonly responseLimitBytes?: number | undefined;
  /** The same for a list whose items are taken one by one. Default 512 MiB. */
  readonly listLimitBytes?: number | undefined;
}

interface Context {
  readonly credentials: CredentialSource;
  readonly transport: Transport;
  readonly userAgent: string;
  readonly observe: RequestObserver;
  readonly responseLimitBytes: number;
  readonly listLimitBytes: number;
  serverTime: ReturnType<NonNullable<KubeClient['serverTime']>>;
}

/** Our client: one HTTP/2 connection, no retries but one after a 401 with credentials read again. Throws when the kubeconfig has no cluster. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { kubeConfig } = options;
  const credentials = typeof kubeConfig === 'function' ? createCredentialSource(kubeConfig) : kubeConfig;
  const context: Context = {
    credentials,
    transport: createTransport(credentials.server, { ...DEFAULT_CONNECTION_TIMING, ...options.timing }),
    userAgent: options.userAgent,
    observe: options.observe ?? (() => undefined),
    responseLimitBytes: options.responseLimitBytes ?? DEFAULT_RESPONSE_LIMIT_BYTES,
    listLimitBytes: options.listLimitBytes ?? DEFAULT_LIST_LIMIT_BYTES,
    serverTime: undefined,
  };
  return {
    request: async (request) => await requestOnce(context, request),
    stream: (request) => streamOnce(context, request),
    serverTime: () => context.serverTime,
    close: () => context.transport.close(),
  };
}

async function requestOnce(context: Context, request: KubeRequest): Promise<unknown> {
  const deadline = createDeadline(request.timeoutMs ?? DEFAULT_TIMEOUT_MS, request.signal);
  const observed = observation(context, verbOf(request));
  const sizes = new ListSizes();
  try {
    const response = await send(context, request, deadline.signal);
    observed.code(response.status);
    if (!isSuccess(response)) throw await failure(request, response);
    return await readAnswer(context, request, { response, sizes });
  } catch (error) {
    throw translated(error, request, { deadline, advice: sizes.advice() });
  } finally {
    observed.done();
    deadline.clear();
  }
}

async function readAnswer(
  context: Context,
  { onItem }: KubeRequest,
  { response, sizes }: { readonly response: WireResponse; readonly sizes: ListSizes },
): Promise<unknown> {
  if (onItem === undefined) {
    const text = await readText(response.body, context.responseLimitBytes);
    return text === '' ? undefined : parseJson(text);
  }
  return await readList(response.body, { answerBytes: context.listLimitBytes, objectBytes: OBJECT_LIMIT_BYTES }, { sizes, onItem });
}

async function* streamOnce(
  context: Context,
  request: KubeRequest & { readonly idleTimeoutMs: number },
): AsyncGenerator<unknown, void, undefined> {
  const deadline = createDeadline(request.idleTimeoutMs, request.signal);
  const observed = observation(context, 'watch');
  let response: WireResponse | undefined;
  try {
    response = await send(context, request, deadline.signal);
    observed.code(response.status);
    deadline.restart();
    if (!isSuccess(response)) throw await failure(request, response);
    for await (const line of readLines(response.body, OBJECT_LIMIT_BYTES, () => deadline.restart())) yield parseJson(line);
  } catch (error) {
    if (request.signal?.aborted !== true) throw translated(error, request, { deadline, advice: '' });
  } finally {
    response?.body.destroy();
    observed.done();
    deadline.clear();
  }
}

async function send(context: Context, request: KubeRequest, signal: AbortSignal): Promise<WireResponse> {
  const first = await sendOnce(context, request, signal);
  if (first.status !== 401) return first;
  // A token may have been rotated since it was read: once more, with what the file says now.
  first.body.destroy();
  context.credentials.reload();
  return await sendOnce(context, request, signal);
}

async function sendOnce(context: Context, request: KubeRequest, signal: AbortSignal): Promise<WireResponse> {
  const credentials = await context.credentials.current();
  signal.throwIfAborted();
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const headers: Record<string, string> = {
    ...credentials.headers,
    accept: request.accept ?? 'application/json',
    'user-agent': context.userAgent,
  };
  if (body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
  const path = wirePath(context.credentials.server, request);
  // Opening a connection is shared between requests and knows no signal: anyone who gives up leaves it to the others.
  const answer = await orAborted(context.transport.send({ method: request.method, path, headers, body, signal }, credentials), signal);
  if (answer === 'aborted') throw new Error('aborted');
  const serverMs = Date.parse(answer.date ?? '');
  if (!Number.isNaN(serverMs)) context.serverTime = { serverMs, at: systemClock.now() };
  return answer;
}

function wirePath(server: URL, request: KubeRequest): string {
  const query = new URLSearchParams(request.query).toString();
  return `${server.pathname.replace(/\/+$/, '')}${request.path}${query === '' ? '' : `?${query}`}`;
}

function isSuccess(response: WireResponse): boolean {
  return response.status >= 200 && response.status < 300;
}

async function failure(request: KubeRequest, response: WireResponse): Promise<KubeApiError> {
  const text = await readText(response.body, ERROR_BODY_LIMIT_BYTES);
  const what = `${request.method} ${request.path} was answered with ${response.status}`;
  return statusError(what, parseStatus(text), { status: response.status, retryAfter: response.retryAfter });
}

function translated(
  error: unknown,
  request: KubeRequest,
  { deadline, advice }: { readonly deadline: Deadline; readonly advice: string },
): KubeApiError {
  const what = `${request.method} ${request.path}`;
  if (request.signal?.aborted === true) return new KubeApiError({ reason: 'Aborted', message: `${what} was aborted`, cause: error });
  if (deadline.expired()) return new KubeApiError({ reason: 'Timeout', message: `${what} timed out${advice}`, cause: error });
  return connectionError(`${what} failed`, error);
}

function observation(context: Context, verb: Parameters<RequestObserver>[0]) {
  let code = 'error';
  return {
    code: (status: number): void => {
      code = String(status);
    },
    done: (): void => context.observe(verb, code),
  };
}
