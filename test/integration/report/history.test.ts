import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addPass, historyIn, LedgerMaker, namesFrom } from '../../helpers/ledgers.ts';
import { startReportServer, type ReportServer } from '../../helpers/report-server.ts';

const RECORDS = 300;
const NAMES = [...namesFrom(0, RECORDS)];

let directory: string;
let server: ReportServer;
let maker: LedgerMaker;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'basekeeper-history-'));
  maker = new LedgerMaker(directory, { segmentBytes: 16_384 });
  addPass(maker, NAMES);
  maker.close();
  server = await startReportServer({ history: historyIn(directory) });
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Answered {
  readonly items: readonly { readonly name: string; readonly seq: number; readonly outcome?: string }[];
  readonly evidence: readonly object[];
  readonly mark?: object;
}

async function ask(query = ''): Promise<Answered> {
  const response = await fetch(`${server.url}/history${query}`);
  expect(response.status, await response.clone().text()).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  return (await response.json()) as Answered;
}

describe('the history of an agent', () => {
  it('should have the newest removals with their outcomes and the evidence that they name', async () => {
    const all = await ask();
    expect(all.items.map(({ name }) => name)).toEqual(NAMES);
    expect(new Set(all.items.map(({ outcome }) => outcome))).toEqual(new Set(['removed']));
    const last = await ask('?limit=70');
    expect(last.items.map(({ name }) => name)).toEqual(NAMES.slice(-70));
    expect(last.evidence).toHaveLength(2);
    expect(last.mark).toBeUndefined();
  });

  it('should be limited to what is asked', async () => {
    const name = NAMES[120] ?? '';
    for (const query of [`?file=${name}`, `?image=${name}`, `?file=${name}&limit=5`])
      expect((await ask(query)).items).toMatchObject([{ name, outcome: 'removed' }]);
    expect((await ask('?since=1')).items).toHaveLength(RECORDS);
    expect((await ask('?until=1')).items).toHaveLength(0);
  });

  it('should say which hash a record has now', async () => {
    expect((await ask(`?limit=1&mark=${maker.last.seq}`)).mark).toEqual(maker.last);
    expect((await ask(`?limit=1&mark=${maker.last.seq + 1}`)).mark).toBeUndefined();
  });

  it.each([
    'limit=10001',
    'limit=0',
    'limit=x',
    'file=',
    `file=${'x'.repeat(256)}`,
    'image=x',
    'since=yesterday',
    'mark=-1',
    'x=1',
    '__proto__=1',
  ])('should not be asked for %s', async (query) => {
    expect((await fetch(`${server.url}/history?${query}`)).status).toBe(400);
  });

  it('should be where the report is, and nowhere else', async () => {
    const status = async (path = '/history', headers = {}) =>
      (await fetch(`http://127.0.0.1:${server.networkPort}${path}`, { headers })).status;
    expect(await status()).toBe(404);
    const pagesReviewer = { review: (token: string) => Promise.resolve(token === 'good' ? ('allowed' as const) : ('forbidden' as const)) };
    await server.close();
    server = await startReportServer({ history: historyIn(directory), pagesReviewer });
    expect([await status(), await status('/history', { authorization: 'Bearer bad' })]).toEqual([401, 403]);
    expect(await status('/history', { authorization: 'Bearer good' })).toBe(200);
    await server.close();
    server = await startReportServer({ history: historyIn(directory), switches: { report: false, statusPage: true } });
    expect((await fetch(`${server.url}/history`)).status).toBe(404);
  });

  it('should be absent where nothing is recorded', async () => {
    await server.close();
    server = await startReportServer();
    expect((await fetch(`${server.url}/history`)).status).toBe(404);
  });

  it('should leave no file open, whether it is read, asked for by HEAD, or left half way', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    await ask();
    const before = open();
    await fetch(`${server.url}/history`, { method: 'HEAD' });
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET /history HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await new Promise((done) => setTimeout(done, n));
      socket.destroy();
    }
    await expect.poll(open, { timeout: 10_000 }).toBeLessThanOrEqual(before + 1);
    expect(server.logger.lines).toEqual([]);
  });
});
