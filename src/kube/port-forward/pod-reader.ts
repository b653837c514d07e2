import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { parseStatus, readText } from '../client/body.ts';
import { createDeadline } from '../client/deadline.ts';
import { statusError } from '../client/status.ts';
import type { CredentialSource } from '../credentials/credentials.ts';
import { connectionError, KubeApiError } from '../errors.ts';
import type { PodPort, PodReader } from '../types.ts';
import { ERROR_BODY_LIMIT_BYTES, openForwardedPort } from './forwarded-port.ts';

const RESPONSE_LIMIT_BYTES = 512 * 1024 * 1024;

/** Asks what listens on a pod's loopback, by the API server's port-forward. */
export function createPodReader(credentials: CredentialSource, userAgent: string): PodReader {
  return async ({ path, timeoutMs, signal, ...pod }) => {
    const what = `GET ${path} by a port-forward to ${pod.namespace}/${pod.name}:${pod.port}`;
    const deadline = createDeadline(timeoutMs, signal);
    let port: Duplex | undefined;
    try {
      port = await openForwardedPort(forwardUrl(credentials.server, pod), await credentials.current(), userAgent);
      const response = await get(port, path, deadline.signal);
      const isGood = response.statusCode === 200;
      const text = await readText(response, isGood ? RESPONSE_LIMIT_BYTES : ERROR_BODY_LIMIT_BYTES);
      if (!isGood) throw statusError(what, parseStatus(text), { status: response.statusCode });
      return JSON.parse(text) as unknown;
    } catch (error) {
      if (deadline.expired()) throw new KubeApiError({ reason: 'Timeout', message: `${what} timed out`, cause: error });
      if (error instanceof SyntaxError) throw new KubeApiError({ reason: 'InvalidResponse', message: `${what}: not JSON`, cause: error });
      throw connectionError(`${what} failed`, port?.errored ?? error);
    } finally {
      port?.destroy();
      deadline.clear();
    }
  };
}

function forwardUrl(server: URL, { namespace, name, port }: PodPort): URL {
  const url = new URL(server);
  url.protocol = server.protocol === 'http:' ? 'ws:' : 'wss:';
  url.pathname = `${server.pathname.replace(/\/+$/, '')}/api/v1/namespaces/${namespace}/pods/${name}/portforward`;
  url.search = `?ports=${port}`;
  return url;
}

async function get(port: Duplex, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { host: 'localhost', accept: 'application/json', connection: 'close' };
    const request = httpRequest({ createConnection: () => port, path, headers, signal });
    request.once('response', resolve);
    request.on('error', reject);
    request.end();
  });
}
