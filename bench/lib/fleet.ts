/** A fleet of agents in a few processes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { file } from './child.ts';
import type { FleetOrder, FleetReply, WorkerOptions } from './fleet-protocol.ts';

/** An order without the number that its answer carries. */
type Order = FleetOrder extends infer T ? (T extends FleetOrder ? Omit<T, 'id'> : never) : never;

export class Fleet {
  readonly #workers: readonly ChildProcess[];
  #lastId = 0;
  readonly codes = new Map<ChildProcess, FleetReply['codes']>();

  /** Agents of the nodes `fleet-0` and so on; at most 250 in a process. */
  constructor(place: Pick<WorkerOptions, 'server' | 'caPem' | 'token'>, agents: number) {
    const processes = Math.ceil(agents / 250);
    const share = Math.ceil(agents / processes);
    this.#workers = Array.from({ length: processes }, (_, index) => {
      const first = index * share;
      const options: WorkerOptions = { ...place, first, count: Math.min(share, agents - first) };
      return fork(file('children/fleet-worker.ts'), [JSON.stringify(options)]);
    });
  }

  /** Gives all workers an order; the sum of their answers. */
  async all(order: Order): Promise<number> {
    const values = await Promise.all(this.#workers.map(async (worker) => await this.#ask(worker, { ...order, id: ++this.#lastId })));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** What clients have seen so far, such as `watch 200` or `event 410`; codes come with answers, so give an order first. */
  seen(key: string): number {
    return [...this.codes.values()].reduce((sum, codes) => sum + (codes[key] ?? 0), 0);
  }

  /** Requests that clients saw answered with this status. */
  answeredWith(code: string): number {
    const keys = new Set([...this.codes.values()].flatMap((codes) => Object.keys(codes)));
    return [...keys].filter((key) => key.endsWith(` ${code}`) && !key.startsWith('event')).reduce((sum, key) => sum + this.seen(key), 0);
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
