/** An agent under a real memory limit, as the chart starts it for one. Needs root. */
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeServer } from '../../test/helpers/kube-server.ts';
import { startAgent, untilReady, type Agent, type Start } from './agent.ts';
import { createMemoryCgroup, type MemoryCgroup } from './memory-cgroup.ts';
import type { BenchContext } from './row.ts';

export const LIMIT_MIB = 64;
export const MAX_READY_SECONDS = 1;
/** As the chart computes it from the limit. */
const NODE_OPTIONS = `--max-semi-space-size=1 --max-old-space-size=${Math.floor(LIMIT_MIB * 0.6)}`;

export interface LimitedStart extends Start {
  readonly cgroup: MemoryCgroup;
}

export function limitedStart(context: BenchContext): LimitedStart {
  const cgroup = createMemoryCgroup(`basekeeper-bench-${process.pid}`, LIMIT_MIB * 2 ** 20);
  context.defer(async () => {
    // Until the last of its processes is gone.
    await pause(500);
    cgroup.remove();
  });
  return { before: cgroup.before, executable: process.execPath, env: { NODE_OPTIONS }, cgroup };
}

/** Starts an agent so many times, each after the one before has stopped. The last one stays. */
export async function startTimes(
  context: BenchContext,
  server: KubeServer,
  node: string,
  settings: object,
  { start, starts }: { readonly start: Start; readonly starts: number },
): Promise<{ readonly agent: Agent; readonly readySeconds: readonly number[] }> {
  const readySeconds: number[] = [];
  let agent: Agent | undefined;
  for (let run = 0; run < starts; run += 1) {
    await agent?.stop();
    const started = performance.now();
    agent = await startAgent(context, server, node, settings, start);
    await untilReady(agent);
    readySeconds.push((performance.now() - started) / 1000);
  }
  if (agent === undefined) throw new Error('no agent was started');
  return { agent, readySeconds };
}
