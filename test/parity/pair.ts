import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBasekeeper } from './basekeeper.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';
import { Oracle, type NovaAnswer, type NovaRepair } from './oracle.ts';
import { differences, novaOutcome, type Outcome } from './outcome.ts';
import { bytesOf, hexOf, type ByteName } from './names.ts';
import type { Entry, Tree } from './tree-spec.ts';

/** What the two managers did with the same tree. */
export interface Comparison {
  /** Basekeeper's outcome. */
  readonly ours: Outcome;
  /** The real Nova's answer on the very tree. */
  readonly nova: NovaAnswer;
  /** What the real Nova did with the entries of `_base`. */
  readonly novaBase: Outcome['base'];
  /** Names of the known differences that the tree shows. */
  readonly excused: readonly string[];
  /** What is left to explain; must be empty. */
  readonly unexplained: readonly string[];
}

/** Both managers side by side, each on a copy of its own. */
export class Pair implements AsyncDisposable {
  readonly #oracle: Oracle;
  readonly #directory = mkdtempSync(join(tmpdir(), 'basekeeper-parity-'));

  /** `python`: one that can import the Nova to compare with. Default: Debian's. */
  constructor(python?: string) {
    this.#oracle = new Oracle(python);
  }

  async compare(tree: Tree): Promise<Comparison> {
    const [theirs, own] = [join(this.#directory, 'nova'), join(this.#directory, 'basekeeper')];
    try {
      const before = await this.#write(tree, theirs, own);
      const running = runBasekeeper(tree, own);
      const nova = await this.#oracle.run(tree, theirs);
      const excuses = KNOWN_DIFFERENCES.filter(({ applies }) => applies(tree, nova));
      const said = await running;
      const ours: Outcome = said(before, await this.#oracle.describe(own));
      const theirOutcome = novaOutcome(before, await this.#oracle.describe(theirs), nova);
      const unexplained = differences(excuses.length === 0 ? theirOutcome : await this.#asIf(tree, excuses, ours, nova), ours);
      return { ours, nova, novaBase: theirOutcome.base, excused: excuses.map(({ name }) => name), unexplained };
    } finally {
      rmSync(theirs, { recursive: true, force: true });
      rmSync(own, { recursive: true, force: true });
    }
  }

  /** Compares, and throws where something is unexplained. */
  async agree(tree: Tree): Promise<Comparison> {
    const comparison = await this.compare(tree);
    if (comparison.unexplained.length > 0) throw new Error(`Basekeeper differs from Nova:\n${comparison.unexplained.join('\n')}`);
    return comparison;
  }

  async #write(tree: Tree, ...roots: string[]): ReturnType<Oracle['describe']> {
    await this.#oracle.write(tree, roots);
    return await this.#oracle.describe(roots.at(-1) ?? '');
  }

  /** What Nova does with the tree that the excuses turn this one into; whatever that one lacks stays as it is. */
  async #asIf(tree: Tree, excuses: typeof KNOWN_DIFFERENCES, ours: Outcome, nova: NovaAnswer): Promise<Outcome> {
    const standIns = new Map(excuses.flatMap(({ standIns: names }) => names?.(tree, nova) ?? []).map((name) => [name, standInFor(name)]));
    const changed = excuses.reduce((done, { asIf }) => asIf?.(done) ?? done, tree);
    const other = renameBase(changed, standIns);
    const repair: NovaRepair = Object.assign({}, ...excuses.map((excuse) => excuse.repair));
    const root = join(this.#directory, 'as-if');
    try {
      const before = await this.#write(other, root);
      const answer = await this.#oracle.run(other, root, repair);
      const outcome = namedBack(novaOutcome(before, await this.#oracle.describe(root), answer), standIns);
      const lacking = Object.keys(ours.base).filter((name) => !Object.hasOwn(outcome.base, name));
      return { ...outcome, base: Object.fromEntries([...Object.entries(outcome.base), ...lacking.map((name) => [name, 'left'] as const)]) };
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#oracle[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const standInFor = (name: ByteName): ByteName => `stand-in-${hexOf(name)}`.slice(0, 255);

/** Renames files of `_base`, and in the headers that name them. */
function renameBase(tree: Tree, names: ReadonlyMap<ByteName, ByteName>): Tree {
  if (names.size === 0) return tree;
  const renamed = <T extends Entry>(entry: T): T => ({ ...entry, name: names.get(entry.name) ?? entry.name });
  const rebased = (entry: Entry): Entry => {
    if (entry.content.kind !== 'qcow2' || entry.content.backing === null) return entry;
    const { backing } = entry.content;
    const at = backing.lastIndexOf('/') + 1;
    const name = names.get(bytesOf(backing.slice(at)));
    return name === undefined ? entry : { ...entry, content: { kind: 'qcow2', backing: backing.slice(0, at) + name } };
  };
  const directories = tree.directories.map((one) => ({ ...one, entries: one.entries.map(rebased) }));
  return { ...tree, base: tree.base.map(renamed), directories };
}

function namedBack(outcome: Outcome, names: ReadonlyMap<ByteName, ByteName>): Outcome {
  const back = new Map([...names].map(([from, to]) => [to, from]));
  const original = (name: ByteName): ByteName => back.get(name) ?? name;
  const all = (list: readonly ByteName[]): ByteName[] => list.map(original).toSorted();
  return {
    ...outcome,
    base: Object.fromEntries(Object.entries(outcome.base).map(([name, fate]) => [original(name), fate])),
    active: all(outcome.active),
    unknown: all(outcome.unknown),
    unexplainedBacking: all(outcome.unexplainedBacking),
  };
}
