import type { Listing, NovaAnswer } from './oracle.ts';
import type { ByteName } from './names.ts';

/** What became of one entry of `_base` or of the lock directory. */
export type Fate = 'left' | 'touched' | 'gone' | 'new';

/** What a pass did and said, in the terms both managers share. Names are sorted. */
export interface Outcome {
  /** Of every entry of `_base`. */
  readonly base: Readonly<Record<ByteName, Fate>>;
  /** Of every lock file. */
  readonly locks: Readonly<Record<ByteName, Fate>>;
  /** Entries anywhere else that changed, vanished or appeared. Must be empty. */
  readonly elsewhere: readonly string[];
  /** Original, resized and legacy files in use. */
  readonly active: readonly ByteName[];
  /** Those of them that nothing explains or stands on. */
  readonly unknown: readonly ByteName[];
  /** Base files that an overlay stands on and no image explains. */
  readonly unexplainedBacking: readonly ByteName[];
  /** Swap and ephemeral files that are used and do not exist. */
  readonly missing: readonly ByteName[];
  /** `get_disk_usage` before the pass. */
  readonly diskUsageBytes: number;
}

const sorted = (names: Iterable<ByteName>): ByteName[] => [...new Set(names)].toSorted();

export function novaOutcome(before: Listing, after: Listing, answer: NovaAnswer): Outcome {
  const present = (name: ByteName): boolean => before.has(`_base/${name}`);
  return {
    ...fates(before, after),
    active: sorted(answer.active.filter(present)),
    unknown: sorted(answer.unknown),
    unexplainedBacking: sorted(answer.unexplainedBacking.map(([, file]) => file)),
    missing: sorted([...answer.missingSwap, ...answer.missingEphemeral]),
    diskUsageBytes: answer.diskUsage,
  };
}

export function fates(before: Listing, after: Listing): Pick<Outcome, 'base' | 'locks' | 'elsewhere'> {
  const base: [ByteName, Fate][] = [];
  const locks: [ByteName, Fate][] = [];
  const elsewhere: string[] = [];
  for (const path of sorted([...before.keys(), ...after.keys()])) {
    const [directory, name, ...deeper] = path.split('/');
    const fate = fateOf(before, after, path);
    const isEntry = name !== undefined && deeper.length === 0;
    if (isEntry && directory === '_base') base.push([name, fate]);
    else if (isEntry && directory === 'locks') locks.push([name, fate]);
    else if (path !== '_base' && path !== 'locks' && fate !== 'left') elsewhere.push(`${path}: ${fate}`);
  }
  return { base: Object.fromEntries(base), locks: Object.fromEntries(locks), elsewhere };
}

function fateOf(before: Listing, after: Listing, path: string): Fate {
  const was = before.get(path);
  const is = after.get(path);
  if (was === undefined) return 'new';
  if (is === undefined) return 'gone';
  return was.modifiedAtNs === is.modifiedAtNs ? 'left' : 'touched';
}

/** Every way in which Basekeeper's outcome is not what Nova's was; empty when they agree. */
export function differences(nova: Outcome, ours: Outcome): string[] {
  const found: string[] = [];
  for (const part of ['base', 'locks'] as const) {
    for (const name of sorted([...Object.keys(nova[part]), ...Object.keys(ours[part])])) {
      const [theirs, own] = [fateIn(nova[part], name), fateIn(ours[part], name)];
      if (theirs !== own) found.push(`${part}/${JSON.stringify(name)}: Nova ${theirs}, Basekeeper ${own}`);
    }
  }
  for (const list of ['elsewhere', 'active', 'unknown', 'unexplainedBacking', 'missing'] as const) {
    const [theirs, own] = [JSON.stringify(nova[list]), JSON.stringify(ours[list])];
    if (theirs !== own) found.push(`${list}: Nova ${theirs}, Basekeeper ${own}`);
  }
  if (nova.diskUsageBytes !== ours.diskUsageBytes) found.push(`disk usage: Nova ${nova.diskUsageBytes}, Basekeeper ${ours.diskUsageBytes}`);
  return found;
}

/** A record's own value: a name may be `__proto__`. */
function fateIn(record: Readonly<Record<ByteName, Fate>>, name: ByteName): Fate | 'absent' {
  return Object.hasOwn(record, name) ? (record[name] ?? 'absent') : 'absent';
}
