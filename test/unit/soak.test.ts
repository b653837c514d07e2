import { describe, expect, it } from 'vitest';
import type { Sample } from '../soak/agent.ts';
import { flat, judge, windows, type SoakResult } from '../soak/judge.ts';

const MIB = 2 ** 20;
const samples = (megabytes: (index: number) => number, pid = 1, count = 100): Sample[] =>
  Array.from({ length: count }, (_, index) => ({ pid, atMs: index * 200, residentBytes: megabytes(index) * MIB, descriptors: 30 }));
const megabytesOf = ({ residentBytes }: Sample): number => residentBytes / MIB;
const tolerance = { share: 0.2, more: 10 };

const good: SoakResult = {
  minutes: 2,
  violations: [],
  looks: 50_000,
  problems: [],
  passes: { Succeeded: 60, Held: 20 },
  outcomes: { removed: 30 },
  heldBy: { SourceNotSynced: 20 },
  faults: { 'connections are reset': 20 },
  recovered: true,
  agentStarts: 2,
  samples: samples(() => 100),
  writes: { events: 50, eventsOfOneObject: 5, nodePatches: 80, lists: 100 },
};
const broken = (change: Partial<SoakResult>): string[] =>
  judge({ ...good, ...change })
    .filter(({ failure }) => failure !== undefined)
    .map(({ name }) => name);

describe('the verdict on a soak', () => {
  it('should be good where every promise is kept', () => {
    expect(broken({})).toEqual([]);
  });

  it.each<[string, Partial<SoakResult>]>([
    ['no file in use is lost', { violations: ['the overlay of vm-1 needs a, which is gone'] }],
    ['many files in use are looked at', { looks: 10 }],
    ['unused files are removed', { outcomes: { removed: 4, ChangedSincePlan: 9 } }],
    ['passes go on', { passes: { Succeeded: 2, Held: 1 }, writes: { ...good.writes, nodePatches: 3 } }],
    ['no pass fails', { passes: { ...good.passes, Failed: 1 } }],
    ['there are faults, and passes that are held because of them', { passes: { Succeeded: 80 } }],
    ['a pass succeeds once the faults are over', { recovered: false }],
    ['no error, no unhandled rejection, no end that nobody asked for', { problems: ['Error: x'] }],
    ['memory is flat', { samples: samples((index) => 100 + 2 * index) }],
    ['memory is flat', { samples: [] }],
    ['descriptors are flat', { samples: samples(() => 100).map((sample, index) => ({ ...sample, descriptors: 30 + index })) }],
    ['events stay within their limit', { writes: { ...good.writes, events: 1000 } }],
    ['events about one object stay within their limit', { writes: { ...good.writes, eventsOfOneObject: 60 } }],
    ['annotations are written once a pass at most', { writes: { ...good.writes, nodePatches: 200 } }],
  ])('should be bad where it is not so that %s', (name, change) => {
    expect(broken(change)).toContain(`soak: ${name}`);
  });
});

describe('what is flat', () => {
  it('should be told after a warm-up, by medians, of the process that lived longest', () => {
    const killed = samples(() => 900, 7, 20);
    const warmsUp = samples((index) => (index < 40 ? index : index % 10 === 0 ? 500 : 100));
    expect(windows([...killed, ...warmsUp], megabytesOf)).toEqual({ first: 100, last: 100 });
  });

  it('should tolerate what it is told to, and no more', () => {
    const grown = (to: number): Sample[] => samples((index) => (index < 60 ? 100 : to));
    expect(flat('memory', grown(130), megabytesOf, 'MiB', tolerance).failure).toBeUndefined();
    expect(flat('memory', grown(131), megabytesOf, 'MiB', tolerance).failure).toBe('100.0 MiB at first, 131.0 MiB at last');
  });
});
