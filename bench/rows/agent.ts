import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { startKubeServer, type KubeServer } from '../../test/helpers/kube-server.ts';
import { CHANGES_PER_SECOND, changeAllTheTime, startAgent, untilReady } from '../lib/agent.ts';
import { auditIn, type Audit } from '../lib/audit.ts';
import { createNode, populate, prepareServer } from '../lib/node-objects.ts';
import { connectionsTo, cpuSeconds, memoryBytes } from '../lib/proc.ts';
import type { Bench, BenchContext } from '../lib/row.ts';
import type { Row } from '../../scripts/lib/results.ts';
import { median, mib, seconds, slope } from '../lib/stats.ts';
import { buildTree } from '../lib/tree.ts';

const SAMPLE_MS = 5000;
const MAX_START_SECONDS = 0.7;
const MAX_STEADY_BYTES = 66 * 2 ** 20;
/** Growth in the second half of the run, extrapolated to an hour, that still counts as flat. */
const FLAT_BYTES_PER_HOUR = 6 * 2 ** 20;
const MAX_IDLE_CPU_PERCENT = 0.3;
const MAX_IDLE_REQUESTS = 8;

/** The agent beside a real API server: how soon it is ready, and what it takes when nothing happens and when much does. */
export const agentBench: Bench = {
  name: 'agent',
  async run(context) {
    const audit = auditIn(context.root);
    const server = await startKubeServer({ apiServerFlags: audit.flags });
    context.defer(async () => server.stop());
    await prepareServer(server);
    for (const node of ['node-start', 'node-idle', 'node-busy']) await createNode(server, node);
    const changing = await populate(server, 'node-busy', { pods: 300, vmis: 50 });
    const rows = [await start(context, server)];
    const minutes = context.quick ? 1 : 10;
    const [idle, steady] = await Promise.all([idleRows(context, server, audit, minutes), steadyRow(context, server, changing, minutes)]);
    return [...rows, steady, ...idle];
  },
};

async function start(context: BenchContext, server: KubeServer): Promise<Row> {
  const tree = buildTree(context.root, { files: 1000, vms: 0 });
  const times: number[] = [];
  for (let run = 0; run < (context.quick ? 3 : 9); run += 1) {
    const started = performance.now();
    const agent = await startAgent(context, server, 'node-start', { instancesPath: tree.instancesPath });
    await untilReady(agent);
    times.push((performance.now() - started) / 1000);
    await agent.stop();
  }
  tree.remove();
  const figure = median(times);
  context.say(`  ready after ${seconds(figure)} (${seconds(Math.min(...times))} to ${seconds(Math.max(...times))})`);
  return {
    id: 'start',
    what: 'process start → ready on a warm API server',
    against: '–',
    goal: `≤ ${MAX_START_SECONDS * 1000} ms`,
    figure: `${Math.round(figure * 1000)} ms (fastest ${Math.round(Math.min(...times) * 1000)} ms)`,
    met: figure <= MAX_START_SECONDS,
    measures: { seconds: times },
  };
}

async function idleRows(context: BenchContext, server: KubeServer, audit: Audit, minutes: number): Promise<Row[]> {
  const { instancesPath } = buildTree(context.root, { files: 1000, vms: 1 });
  const agent = await startAgent(context, server, 'node-idle', { instancesPath });
  await untilReady(agent);
  // The first pass, its writes and the engine's own housekeeping are over by then.
  await pause(context.quick ? 20_000 : 60_000);
  const fromMs = Date.now();
  const cpuBefore = cpuSeconds(agent.pid);
  const port = Number(new URL(server.rest.server).port);
  const connections: number[] = [];
  while (Date.now() - fromMs < minutes * 60_000) {
    await pause(SAMPLE_MS);
    connections.push(connectionsTo(agent.pid, port));
  }
  const elapsed = (Date.now() - fromMs) / 1000;
  const cpu = cpuSeconds(agent.pid) - cpuBefore;
  const rss = memoryBytes(agent.pid, 'VmRSS');
  const requests = audit.requests(fromMs).filter(({ userAgent, uri }) => userAgent.startsWith('basekeeper/') && isOfNode(uri, 'node-idle'));
  await agent.stop();
  const written = requests.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb));
  const writes = written.length;
  for (const { verb, uri } of written) context.say(`  idle, but: ${verb} ${uri}`);
  const percent = (100 * cpu) / elapsed;
  const most = Math.max(...connections);
  context.say(`  idle: ${percent.toFixed(2)} % CPU, ${requests.length} requests, ${writes} writes, ${most} connections, ${mib(rss)}`);
  const shared = { measures: { minutes, cpuSeconds: cpu, requests: requests.length, writes, connections, rssBytes: rss } };
  return [
    {
      ...shared,
      id: 'idle-cpu',
      what: `agent's CPU, idle for ${minutes} min`,
      against: '–',
      goal: `≤ ${MAX_IDLE_CPU_PERCENT} % of a core`,
      figure: `${percent.toFixed(2)} %`,
      met: percent <= MAX_IDLE_CPU_PERCENT,
    },
    {
      ...shared,
      id: 'idle-connections',
      what: 'TCP connections that an idle agent holds to the API server',
      against: 'client-go: 1',
      goal: '1',
      figure: String(most),
      met: most === 1,
    },
    {
      ...shared,
      id: 'idle-requests',
      what: `API requests of an idle agent in ${minutes} min, counted in the server's audit log`,
      against: '–',
      goal: `≤ ${MAX_IDLE_REQUESTS} in 10 min, of which 0 writes`,
      figure: `${requests.length}, of which ${writes} writes`,
      met: requests.length <= MAX_IDLE_REQUESTS && writes === 0,
    },
  ];
}

/** Requests of one node's agent: its selectors name the node; discovery is nobody's in particular, and so counts. */
function isOfNode(uri: string, node: string): boolean {
  const others = ['node-start', 'node-idle', 'node-busy'].filter((name) => name !== node);
  return !others.some((name) => uri.includes(name)) && (uri.includes(node) || !uri.startsWith('/apis/kubevirt.io/v1/namespaces/'));
}

async function steadyRow(context: BenchContext, server: KubeServer, changing: readonly string[], minutes: number): Promise<Row> {
  const { instancesPath } = buildTree(context.root, { files: 1000, vms: 50 });
  const agent = await startAgent(context, server, 'node-busy', { instancesPath, intervalSeconds: 10 });
  const bare = spawn(process.execPath, ['-e', 'setInterval(()=>{},1e6)'], { stdio: 'ignore' });
  context.defer(() => void bare.kill('SIGKILL'));
  await untilReady(agent);
  const stopChanges = changeAllTheTime(server, changing);
  const samples: [number, number][] = [];
  const startedMs = Date.now();
  while (Date.now() - startedMs < minutes * 60_000) {
    await pause(SAMPLE_MS);
    samples.push([(Date.now() - startedMs) / 3_600_000, memoryBytes(agent.pid, 'VmRSS')]);
  }
  const bareBytes = memoryBytes(bare.pid ?? 0, 'VmRSS');
  const cpu = cpuSeconds(agent.pid);
  const changes = await stopChanges();
  await agent.stop();
  bare.kill();
  const secondHalf = samples.slice(Math.floor(samples.length / 2));
  const growth = slope(secondHalf);
  const steady = median(secondHalf.map(([, bytes]) => bytes));
  const peak = Math.max(...samples.map(([, bytes]) => bytes));
  const flat = growth <= FLAT_BYTES_PER_HOUR;
  context.say(`  steady: ${mib(steady)}, bare node ${mib(bareBytes)}, ${mib(growth)} an hour, ${changes} changes, ${cpu} s CPU`);
  return {
    id: 'steady-rss',
    what: `agent's steady RSS: 300 pods and 50 VMIs on the node, ${CHANGES_PER_SECOND} object changes a second, passes every 10 s for ${minutes} min, 1k files`,
    against: `a bare \`node -e 'setInterval(()=>{},1e6)'\` in the same run: ${mib(bareBytes)}`,
    goal: `≤ ${mib(MAX_STEADY_BYTES)}, flat`,
    figure: `${mib(steady)} in the second half, peak ${mib(peak)}; ${(steady / bareBytes).toFixed(2)} × the bare process; ${flat ? 'flat' : `growing by ${mib(growth)} an hour`}`,
    met: steady <= MAX_STEADY_BYTES && flat,
    measures: {
      steadyBytes: steady,
      peakBytes: peak,
      bareBytes,
      bytesPerHour: growth,
      changes,
      cpuSeconds: cpu,
      rssBytes: samples.map(([, bytes]) => bytes),
    },
  };
}
