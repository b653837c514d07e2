import { setTimeout as pause } from 'node:timers/promises';
import type { Row } from '../../scripts/lib/results.ts';
import { startKubeServer } from '../../test/helpers/kube-server.ts';
import { CHANGES_PER_SECOND, changeAllTheTime, startAgent, untilReady, type Agent } from '../lib/agent.ts';
import { LIMIT_MIB, limitedStart, MAX_READY_SECONDS, startTimes, type LimitedStart } from '../lib/limited-agent.ts';
import { createNode, populate, prepareServer } from '../lib/node-objects.ts';
import { memoryBytes } from '../lib/proc.ts';
import type { Bench, BenchContext } from '../lib/row.ts';
import { median, mib, seconds } from '../lib/stats.ts';
import { buildTree } from '../lib/tree.ts';

const SAMPLE_MS = 5000;
const MAX_TIMES = 2;
const STARTS = 5;
const GOAL_MINUTES = 60;

/** An agent under a real memory limit beside one without, for an hour: kills, readiness and how long passes take. */
export const limitBench: Bench = {
  name: 'limit',
  async run(context) {
    const server = await startKubeServer({});
    context.defer(async () => server.stop());
    await prepareServer(server);
    const changing: string[] = [];
    for (const [node, prefix] of [
      ['node-limited', 'limited-'],
      ['node-free', 'free-'],
    ] as const) {
      await createNode(server, node);
      changing.push(...(await populate(server, node, { pods: 300, vmis: 50, prefix })));
    }
    const { instancesPath } = buildTree(context.root, { files: 1000, vms: 50 });
    const limited = limitedStart(context);
    const settings = { instancesPath, intervalSeconds: 10 };
    const { agent, readySeconds: ready } = await startTimes(context, server, 'node-limited', settings, { start: limited, starts: STARTS });
    const free = await startAgent(context, server, 'node-free', settings);
    await untilReady(free);
    const stopChanges = changeAllTheTime(server, changing, 2 * CHANGES_PER_SECOND);
    const watched = await watch(context, agent, free, context.minutes ?? (context.quick ? 1 : GOAL_MINUTES));
    const changes = await stopChanges();
    await agent.stop();
    await free.stop();
    return [limitRow({ ...watched, ready, changes, use: limited.cgroup.use() })];
  },
};

interface Watched {
  readonly minutes: number;
  readonly rss: readonly number[];
  /** Of a pass, on average. */
  readonly limitedSeconds: number;
  readonly freeSeconds: number;
  readonly passes: number;
  /** Whether the limited agent was there all the time: nobody starts it again. */
  readonly lived: boolean;
}

async function watch(context: BenchContext, agent: Agent, free: Agent, minutes: number): Promise<Watched> {
  const rss: number[] = [];
  const until = Date.now() + minutes * 60_000;
  const before = [await passesOf(agent), await passesOf(free)] as const;
  let lived = true;
  while (lived && Date.now() < until) {
    await pause(SAMPLE_MS);
    const bytes = agent.running() ? memoryBytes(agent.pid, 'VmRSS') : Number.NaN;
    lived = Number.isFinite(bytes);
    if (lived) rss.push(bytes);
    if (rss.length % 120 === 0) context.say(`  ${rss.length / 12} min: ${mib(bytes)}`);
  }
  if (!lived) return { minutes, rss, limitedSeconds: Number.NaN, freeSeconds: Number.NaN, passes: 0, lived };
  const [limitedSeconds, passes] = mean(before[0], await passesOf(agent));
  const [freeSeconds] = mean(before[1], await passesOf(free));
  return { minutes, rss, limitedSeconds, freeSeconds, passes, lived };
}

interface Passes {
  readonly count: number;
  readonly seconds: number;
}

function mean(before: Passes, after: Passes): readonly [seconds: number, count: number] {
  const count = after.count - before.count;
  return [(after.seconds - before.seconds) / count, count];
}

async function passesOf({ url }: Agent): Promise<Passes> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sum = (name: string): number => {
    const lines = [...text.matchAll(new RegExp(`^basekeeper_pass_duration_seconds_${name}(?:\\{[^}]*\\})? ([\\d.e+-]+)$`, 'gm'))];
    return lines.reduce((total, [, value]) => total + Number(value), 0);
  };
  return { count: sum('count'), seconds: sum('sum') };
}

function limitRow(
  run: Watched & { readonly ready: readonly number[]; readonly changes: number; readonly use: ReturnType<LimitedStart['cgroup']['use']> },
): Row {
  const { minutes, rss, limitedSeconds, freeSeconds, passes, lived, ready, use } = run;
  const times = limitedSeconds / freeSeconds;
  const restarts = lived ? 0 : 1;
  const slowest = Math.max(...ready);
  const good = use.oomKills === 0 && lived && slowest <= MAX_READY_SECONDS && times <= MAX_TIMES;
  const pass = `${(limitedSeconds * 1000).toFixed(0)} ms against ${(freeSeconds * 1000).toFixed(0)} ms`;
  return {
    id: 'memory-limit',
    what: `an agent in a memory cgroup of ${LIMIT_MIB} MiB for ${minutes} min: 300 pods and 50 VMIs, ${CHANGES_PER_SECOND} object changes a second, passes every 10 s, 1k files`,
    against: 'the same agent without a limit, at the same time',
    goal: `for an hour: 0 OOM kills, 0 restarts, ready within ${MAX_READY_SECONDS} s, passes ≤ ${MAX_TIMES} ×`,
    figure: `${use.oomKills} OOM kills, ${restarts} restarts, ready after at most ${seconds(slowest)} of ${ready.length} starts, passes ${pass}: ${times.toFixed(2)} ×; at most ${mib(use.peakBytes)} in the cgroup, the files that it alone read included; the limit was reached ${use.reached} times; RSS ${mib(median(rss))}`,
    // A shorter run can miss the goal, but not meet it.
    met: good && minutes < GOAL_MINUTES ? undefined : good,
    note: minutes < GOAL_MINUTES ? `${minutes} minutes, not an hour` : undefined,
    measures: {
      minutes,
      oomKills: use.oomKills,
      restarts,
      readySeconds: ready,
      limitedPassSeconds: limitedSeconds,
      freePassSeconds: freeSeconds,
      passes,
      changes: run.changes,
      peakBytes: use.peakBytes,
      limitReached: use.reached,
      rssBytes: rss,
    },
  };
}
