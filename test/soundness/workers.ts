import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { SoundnessResult } from './run.ts';
import type { Share } from './worker.ts';

/** Layouts in several processes: a pass without privileges changes the user of its whole process. */
export async function runInWorkers(
  share: Omit<Share, 'step'>,
  jobs: number,
  onLayout: (layouts: number, lost: number) => void,
): Promise<SoundnessResult> {
  const counts = Array.from({ length: jobs }, () => ({ layouts: 0, lost: 0 }));
  const results = await Promise.all(
    counts.map((_, first) =>
      work({ ...share, begin: share.begin + first, step: jobs, reductions: Math.ceil(share.reductions / jobs) }, (count) => {
        counts[first] = count;
        onLayout(sum(counts.map(({ layouts }) => layouts)), sum(counts.map(({ lost }) => lost)));
      }),
    ),
  );
  return results.reduce(merge);
}

type Message = { readonly result: SoundnessResult } | { readonly result?: undefined; readonly layouts: number; readonly lost: number };

async function work(share: Share, onCount: (count: { layouts: number; lost: number }) => void): Promise<SoundnessResult> {
  const child = fork(new URL('worker.ts', import.meta.url), [JSON.stringify(share)]);
  let result: SoundnessResult | undefined;
  child.on('message', (message: Message) => {
    if (message.result === undefined) onCount(message);
    else result = message.result;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (result === undefined) throw new Error(`a process that tried layouts ended with ${code} before it was done; its own message says why`);
  return result;
}

function merge(one: SoundnessResult, other: SoundnessResult): SoundnessResult {
  const kinds = [...one.kinds];
  for (const kind of other.kinds) {
    const known = kinds.find(({ fault, features }) => fault === kind.fault && features.join() === kind.features.join());
    if (known === undefined) kinds.push(kind);
    else known.count += kind.count;
  }
  const faults = { ...one.faults };
  for (const [fault, count] of Object.entries(other.faults)) faults[fault as keyof typeof faults] += count;
  return {
    layouts: one.layouts + other.layouts,
    held: one.held + other.held,
    removed: one.removed + other.removed,
    overKept: one.overKept + other.overKept,
    faults,
    kinds,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
