import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlannedFile } from '../../../src/model/plan.ts';
import type { Rows } from '../../../src/model/rows.ts';
import { mapRows } from '../../../src/lib/rows.ts';
import { createListener } from '../../../src/http/server.ts';
import { fullReport, numberedFile, reportOfSize } from '../../helpers/report-pages.ts';
import { startReportServer, type ReportServer } from '../../helpers/report-server.ts';
import { report, trashedFile, trashPlan } from '../../helpers/reports.ts';

let server: ReportServer;
beforeEach(async () => {
  server = await startReportServer();
});
afterEach(async () => await server.close());

const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(server.url + path, init);

/** Says just this to the server, byte for byte, and waits until it hangs up. */
async function say(bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(bytes);
  return await text(socket);
}

/** Rows that exist only while they are looked at; says when somebody no longer looks. */
function lazyRows(length: number, onEnd: () => void = () => undefined): Rows<PlannedFile> {
  return {
    length,
    at: numberedFile,
    *[Symbol.iterator]() {
      try {
        for (let index = 0; index < length; index++) yield numberedFile(index);
      } finally {
        onEnd();
      }
    },
  };
}

describe('the probes', () => {
  it('should say ok while passes end and sources are synced', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const response = await get(path);
      expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
    }
  });

  it('should each say what is wrong', async () => {
    server.setHealth({ unhealthy: 'the running pass is past its deadline', unready: 'source pods is syncing' });
    const healthz = await get('/healthz');
    expect([healthz.status, await healthz.text()]).toEqual([503, 'the running pass is past its deadline\n']);
    const readyz = await get('/readyz');
    expect([readyz.status, await readyz.text()]).toEqual([503, 'source pods is syncing\n']);
  });
});

describe('metrics', () => {
  it('should be negotiated', async () => {
    expect((await get('/metrics')).headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const open = await get('/metrics', { headers: { accept: 'application/openmetrics-text;version=1.0.0' } });
    expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  });
});

describe('the report', () => {
  it('should be the whole last report as JSON', async () => {
    server.show(fullReport());
    const response = await get('/report');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(fullReport())));
  });

  it('should be promised for later before the first pass', async () => {
    const response = await get('/report');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
  });

  it('should be streamed, with probes answered meanwhile', async () => {
    server.show({ ...report(), files: lazyRows(300_000) });
    const response = await get('/report');
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBeGreaterThan(0);
    expect((await get('/healthz')).status).toBe(200);
    await reader?.cancel();
  });

  it('should be streamed with 100,000 files in the trash, in turns that keep nobody waiting', async () => {
    const files = mapRows(
      Array.from({ length: 100_000 }, (_, index) => index),
      (index) => trashedFile(`swap_${index}.1`),
    );
    server.show({ ...report(), trash: { ...trashPlan([]), files } });
    const delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
    const startedMs = performance.now();
    const response = await get('/report');
    let bytes = 0;
    for await (const piece of response.body ?? []) bytes += piece.length;
    delays.disable();
    expect(bytes).toBeGreaterThan(20_000_000);
    // Written at once, the trash takes most of the time in one turn; on a busy machine every turn takes longer.
    expect(delays.max / 1e6).toBeLessThan((performance.now() - startedMs) / 3);
  });

  it('should not outlive a reader that goes away', async () => {
    server.show({ ...report(), files: lazyRows(300_000) });
    const response = await get('/report');
    await response.body?.cancel();
    expect((await get('/healthz')).status).toBe(200);
    expect(server.logger.lines).toEqual([]);
  });
});

describe('the switches', () => {
  it('should each take away what names images and workloads', async () => {
    await server.close();
    server = await startReportServer({ switches: { report: false, statusPage: false } });
    server.show(fullReport());
    expect([(await get('/')).status, (await get('/report')).status, (await get('/metrics')).status]).toEqual([404, 404, 200]);
    await server.close();
    server = await startReportServer({ switches: { report: false, statusPage: true } });
    server.show(fullReport());
    expect(await (await get('/')).text()).not.toContain('href="report"');
  });
});

describe('the server', () => {
  it.each(['/metrics', '/healthz', '/readyz', '/report', '/'])(
    'should answer HEAD at %s with the headers of GET and nothing else',
    async (path) => {
      server.show(fullReport());
      const [head, whole] = [await get(path, { method: 'HEAD' }), await get(path)];
      expect(await head.text()).toBe('');
      const headersOf = ({ headers }: Response) =>
        Object.fromEntries([...headers].filter(([name]) => !['date', 'transfer-encoding', 'connection', 'keep-alive'].includes(name)));
      expect(headersOf(head)).toEqual(headersOf(whole));
      await whole.body?.cancel();
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('should refuse %s', async (method) => {
    const response = await get('/metrics', { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each(['/nothing', '/metrics/', '/..%2f..%2fetc/passwd', '//', '/report.json', '/__proto__', '/%00'])(
    'should not know %s',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );

  it('should send its security headers with every answer', async () => {
    server.show(fullReport());
    for (const path of ['/', '/metrics', '/report', '/healthz', '/nothing']) {
      const { headers, body } = await get(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'content-security-policy': expect.stringContaining("default-src 'none'") as string,
      });
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
      await body?.cancel();
    }
  });

  it('should refuse headers that are too large, and what is not HTTP', async () => {
    expect(await say(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(9000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await say('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await get('/healthz')).status).toBe(200);
  });

  it('should hang up on a client that does not finish its headers', async () => {
    await server.close();
    server = await startReportServer({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 600_000 } });
    expect(await say('GET / HTTP/1.1\r\nhost: localhost\r\n')).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('should keep so many connections only, and cut the oldest for a new one', async () => {
    const sockets: Socket[] = [];
    const refused = Promise.withResolvers<void>();
    for (let index = 0; index < 140; index++) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('close', () => refused.resolve());
      socket.on('error', () => refused.resolve());
      sockets.push(socket);
    }
    await refused.promise;
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await get('/healthz').catch(() => undefined))?.status).toBe(200);
  });

  it('should cut off a client that takes nothing of its answer', async () => {
    await server.close();
    server = await startReportServer({ limits: { socketIdleMs: 200 } });
    const cut = Promise.withResolvers<void>();
    server.show({ ...report(), files: lazyRows(1_000_000, cut.resolve) });
    const socket = connect(server.port, '127.0.0.1').pause();
    socket.write('GET /report HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await cut.promise;
    // Our own side learns of it only when it has read what was under way.
    socket.resume();
    await once(socket, 'close');
    expect(socket.bytesRead).toBeLessThan(100_000_000);
    expect(server.logger.lines).toEqual([]);
  });

  it('should stream the report to so many at once only, and to others when those have gone', async () => {
    server.show({ ...report(), files: lazyRows(1_000_000) });
    const readers: Response[] = [];
    while (readers.length < 10 && readers.at(-1)?.status !== 503) readers.push(await get('/report'));
    expect(readers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 503]);
    for (const { body } of readers) await body?.cancel();
    await expect.poll(async () => (await get('/report', { method: 'HEAD' })).status).toBe(200);
  });

  it('should keep every page short of freezing the others', async () => {
    server.show(reportOfSize(30_000));
    const pages = Array.from({ length: 30 }, (_, page) => get(`/?page=${page}`));
    expect((await get('/healthz')).status).toBe(200);
    const statuses = (await Promise.all(pages)).map(({ status }) => status);
    // How many are under way together, and so how many are refused, is up to the machine.
    expect(statuses).toContain(200);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  });

  it('should name address, port and remedy when the port is taken', async () => {
    const answer = () => Promise.reject(new Error('nobody asks'));
    const options = { answer, address: '127.0.0.1', port: server.port, portKey: 'http.port', logger: server.logger };
    await expect(createListener(options).start()).rejects.toThrow(
      `cannot listen on 127.0.0.1:${server.port}: something else listens there; set http.port to a free port`,
    );
    await expect(createListener({ ...options, address: '192.0.2.1', port: 0 }).start()).rejects.toThrow('this machine has no such address');
  });

  it('should end with clients connected', async () => {
    await server.close();
    server = await startReportServer({ limits: { socketIdleMs: 600_000 } });
    server.show({ ...report(), files: lazyRows(1_000_000) });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /report HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(socket, 'readable');
    await server.close();
    const closed = once(socket, 'close');
    socket.resume();
    await closed;
    await expect(get('/healthz')).rejects.toThrow();
  });

  it('should tell that it is alive while a source gives no answer', async () => {
    await server.close();
    server = await startReportServer({ probes: { unhealthy: () => undefined, unready: () => new Promise(() => undefined) } });
    expect((await get('/healthz')).status).toBe(200);
  });

  it('should survive a defect behind it', async () => {
    await server.close();
    server = await startReportServer({
      probes: {
        unhealthy: () => {
          throw new Error('defect');
        },
        unready: () => undefined,
      },
    });
    expect((await get('/healthz')).status).toBe(500);
    expect((await get('/metrics')).status).toBe(200);
    expect(server.logger.lines).toMatchObject([{ level: 'error', fields: { error: 'defect' } }]);
  });
});
