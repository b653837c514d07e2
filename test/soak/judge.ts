import type { Check } from '../../scripts/lib/json-report.ts';
import type { Sample } from './agent.ts';

/** What a soak saw. */
export interface SoakResult {
  readonly minutes: number;
  /** Files in use that were lost. */
  readonly violations: readonly string[];
  /** Looks at files in use. */
  readonly looks: number;
  readonly problems: readonly string[];
  /** Passes by result, planned removals by outcome, held passes by reason. */
  readonly passes: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly heldBy: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** Whether a pass succeeded once the faults were over. */
  readonly recovered: boolean;
  readonly agentStarts: number;
  readonly samples: readonly Sample[];
  readonly writes: Writes;
}

/** What the API server has heard from the agent, by its audit log. */
export interface Writes {
  readonly events: number;
  /** Of the object that most events are about. */
  readonly eventsOfOneObject: number;
  readonly nodePatches: number;
  readonly lists: number;
}

/** As src/report/events/recorder.ts has them: at once, and later one in so many seconds. */
const OBJECT_LIMIT = { burst: 25, secondsPerEvent: 300 };
const AGENT_LIMIT = { burst: 100, secondsPerEvent: 12 };

/** A soak that removes nothing proves nothing. */
export const FEWEST_REMOVALS = 5;

/** Each promise of a soak, kept or not. */
export function judge(result: SoakResult): Check[] {
  const { minutes, passes, outcomes, faults } = result;
  const allPasses = sum(passes);
  return [
    check('no file in use is lost', result.violations.length === 0, result.violations.join('; ')),
    check('many files in use are looked at', result.looks >= 1000 * minutes, `only ${result.looks}`),
    check('unused files are removed', (outcomes['removed'] ?? 0) >= FEWEST_REMOVALS, `only ${outcomes['removed'] ?? 0}`),
    check('passes go on', allPasses >= 2 * minutes, `only ${allPasses}`),
    check('no pass fails', (passes['Failed'] ?? 0) === 0, `${passes['Failed'] ?? 0} failed`),
    check('there are faults, and passes that are held because of them', sum(faults) >= 3 * minutes && (passes['Held'] ?? 0) > 0, 'too few'),
    check('a pass succeeds once the faults are over', result.recovered, 'none did'),
    check('no error, no unhandled rejection, no end that nobody asked for', result.problems.length === 0, result.problems.join('\n')),
    flat('memory is flat', result.samples, ({ residentBytes }) => residentBytes / 2 ** 20, 'MiB', { share: 0.2, more: 24 }),
    flat('descriptors are flat', result.samples, ({ descriptors }) => descriptors, 'descriptors', { share: 0, more: 12 }),
    ...eventChecks(result),
    check('annotations are written once a pass at most', result.writes.nodePatches <= allPasses + 10, `${result.writes.nodePatches} times`),
  ];
}

/** After a killed agent the next one has fresh buckets; what a broken connection leaves unanswered is sent again. */
function eventChecks({ minutes, agentStarts, writes, faults }: SoakResult): Check[] {
  const seconds = minutes * 60;
  const object = OBJECT_LIMIT.burst * agentStarts + seconds / OBJECT_LIMIT.secondsPerEvent + 1;
  const agent = AGENT_LIMIT.burst * agentStarts + seconds / AGENT_LIMIT.secondsPerEvent;
  const limit = Math.ceil(object + agent + sum(faults));
  return [
    check('events stay within their limit', writes.events <= limit, `${writes.events} writes of ${limit}`),
    check('events about one object stay within their limit', writes.eventsOfOneObject <= object, `${writes.eventsOfOneObject}`),
  ];
}

/**
 * Compares medians of the first and the last third of what comes after the warm-up, of the process that lived longest. A garbage
 * collector lets memory swing: a leak shows as soon as it exceeds the tolerance, so a long soak finds smaller ones than a short one.
 */
export function flat(
  name: string,
  samples: readonly Sample[],
  valueOf: (sample: Sample) => number,
  unit: string,
  tolerance: { readonly share: number; readonly more: number },
): Check {
  const { first, last } = windows(samples, valueOf);
  const limit = first * (1 + tolerance.share) + tolerance.more;
  // Asked this way round, too few samples are a failure.
  return check(name, last <= limit, `${first.toFixed(1)} ${unit} at first, ${last.toFixed(1)} ${unit} at last`);
}

/** Medians after the warm-up, which is the first 40 % of the life of the process that was sampled most. */
export function windows(samples: readonly Sample[], valueOf: (sample: Sample) => number): { first: number; last: number } {
  const lives = [...Map.groupBy(samples, ({ pid }) => pid).values()].toSorted((a, b) => b.length - a.length);
  const values = (lives[0] ?? []).map(valueOf);
  const warm = values.slice(Math.ceil(values.length * 0.4));
  const third = Math.floor(warm.length / 3);
  return { first: median(warm.slice(0, third)), last: median(warm.slice(warm.length - third)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function check(name: string, isKept: boolean, failure: string): Check {
  return { name: `soak: ${name}`, failure: isKept ? undefined : failure };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
