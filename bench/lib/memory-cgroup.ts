/** A memory cgroup of the bench's own: a real limit, without a cluster around it. Needs root. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

export interface MemoryUse {
  /** What the cgroup had at most: the processes' own memory and the files that they read, as the limit counts it. */
  readonly peakBytes: number;
  /** How often the limit was reached, so that something had to be reclaimed. */
  readonly reached: number;
  readonly oomKills: number;
}

export interface MemoryCgroup {
  /** What a command begins with to run in there. */
  readonly before: readonly string[];
  use(): MemoryUse;
  /** Its processes must have ended. */
  remove(): void;
}

const VERSION_1 = '/sys/fs/cgroup/memory';
const VERSION_2 = '/sys/fs/cgroup';

export function createMemoryCgroup(name: string, limitBytes: number): MemoryCgroup {
  const first = existsSync(`${VERSION_1}/memory.limit_in_bytes`);
  if (!first) writeFileSync(`${VERSION_2}/cgroup.subtree_control`, '+memory');
  const directory = `${first ? VERSION_1 : VERSION_2}/${name}`;
  mkdirSync(directory);
  const set = (file: string, value: number): void => writeFileSync(`${directory}/${file}`, String(value));
  const read = (file: string): string => readFileSync(`${directory}/${file}`, 'utf8');
  set(first ? 'memory.limit_in_bytes' : 'memory.max', limitBytes);
  // As the kubelet sets it: nothing goes to a swap file.
  if (first) set('memory.swappiness', 0);
  else set('memory.swap.max', 0);
  return {
    before: ['/bin/sh', '-c', `echo $$ > ${directory}/cgroup.procs && exec "$@"`, 'sh'],
    use: () =>
      first
        ? {
            peakBytes: Number(read('memory.max_usage_in_bytes')),
            reached: Number(read('memory.failcnt')),
            oomKills: field(read('memory.oom_control'), 'oom_kill'),
          }
        : {
            peakBytes: Number(read('memory.peak')),
            reached: field(read('memory.events'), 'max'),
            oomKills: field(read('memory.events'), 'oom_kill'),
          },
    remove: () => rmdirSync(directory),
  };
}

/** Throws where the kernel does not say it. */
function field(text: string, name: string): number {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`this kernel's memory cgroups have no ${name}`);
  return Number(value);
}
