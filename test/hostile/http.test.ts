import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startReportServer, type ReportServer } from '../helpers/report-server.ts';
import { fullReport } from '../helpers/report-pages.ts';

let server: ReportServer;
let crowd: Crowd;
beforeEach(async () => {
  server = await startReportServer();
  server.show(fullReport());
  crowd = new Crowd(server.port);
});
afterEach(async () => {
  crowd.leave();
  await server.close();
});

/** Clients that hold as many connections as they can get, and come again when they are cut. */
class Crowd {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #stays = true;
  cut = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async join(count: number, opening: string): Promise<void> {
    await Promise.all(Array.from({ length: count }, async () => await this.#connect(opening)));
  }

  async #connect(opening: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connect(this.#port, '127.0.0.1', () => {
      socket.write(opening);
      resolve();
    });
    this.#sockets.add(socket);
    socket.resume();
    socket.on('error', () => resolve());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.cut++;
      if (this.#stays) setTimeout(() => void this.#connect(opening), 20);
    });
    await promise;
  }

  leave(): void {
    this.#stays = false;
    for (const socket of this.#sockets) socket.destroy();
  }
}

const probes = async (count: number): Promise<number[]> => {
  const statuses: number[] = [];
  for (let index = 0; index < count; index++) {
    const { status } = await fetch(`http://127.0.0.1:${server.port}${index % 2 === 0 ? '/healthz' : '/readyz'}`, {
      headers: { connection: 'close' },
    });
    statuses.push(status);
  }
  return statuses;
};
const fine = (count: number): number[] => Array.from({ length: count }, () => 200);

describe('the probes', () => {
  it.each([
    ['never finish their request line', 'GE'],
    ['never finish their headers', 'GET / HTTP/1.1\r\nhost: a\r\nx-slow: '],
    ['announce a body that never comes', 'POST /report HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n'],
    ['send a body in chunks without end', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffff\r\n'],
    ['ask for the report and stay', 'GET /report HTTP/1.1\r\nhost: localhost\r\n\r\n'],
    ['say nothing at all', ''],
  ])('should be answered while hundreds of clients %s', async (_what, opening) => {
    await crowd.join(300, opening);
    expect(await probes(30)).toEqual(fine(30));
    // They were more than are kept: the oldest had to go.
    expect(crowd.cut).toBeGreaterThan(100);
  });

  it('should be answered amid nonsense, unknown methods and headers of a megabyte', async () => {
    const nonsense = [
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(1_000_000)}\r\n\r\n`,
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      Array.from({ length: 5000 }, (_, index) => `x${index}: 1\r\n`).join(''),
      'BREW / HTTP/1.1\r\nhost: a\r\n\r\n',
      'CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: a\r\n\r\n',
      'GET http://169.254.169.254/ HTTP/1.1\r\nhost: a\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001',
      'GET /\u0000 HTTP/1.1\r\nhost: a\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
    ];
    await Promise.all(nonsense.map(async (opening) => await crowd.join(5, opening)));
    expect(await probes(30)).toEqual(fine(30));
    expect(server.logger.lines).toEqual([]);
  });
});
