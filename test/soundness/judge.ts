import { lstatSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { holdersOf, type Layout } from './layout.ts';
import type { Templates } from './images.ts';
import { build, type Built } from './build.ts';
import { instancesPathOf } from './evidence.ts';
import { askQemu, closure, filesBelow, type Standing } from './oracle.ts';
import { NOBODY, runPass, type PassReport, type PassResult } from './pass.ts';

/** What is wrong with a pass; the first is the one that must never be. */
export type Fault = 'lost' | 'failed' | 'held-without-cause' | 'left-over' | 'not-actionable';

export interface Verdict {
  readonly fault: Fault | undefined;
  readonly message: string;
  /** The part whose file it is, where there is one. */
  readonly part: number | undefined;
  readonly held: boolean;
  readonly removed: number;
  /** Kept though nothing uses it, because something has a name like it. */
  readonly overKept: number;
  readonly recipe: string;
}

export interface JudgeOptions {
  readonly parent: string;
  readonly templates: Templates;
  /** Whether the program as it is shipped runs the pass. */
  readonly program: boolean;
  /** Default: a pass of Basekeeper. */
  readonly pass?: typeof runPass;
}

/** Builds the layout, runs a pass over it, and compares what is gone with what qemu-img said before. */
export async function judge(layout: Layout, options: JudgeOptions): Promise<Verdict> {
  const built = build(layout, options.parent, options.templates);
  using tree = built.tree;
  // Who is not root already has no privileges to give up.
  const isNova = layout.world.user === 'nova' && process.getuid?.() === 0;
  const standing = askQemu(tree);
  tree.finish(isNova ? NOBODY : undefined, [join(tree.root, 'host')]);
  const before = filesBelow(tree.root);
  const here = instancesPathOf(tree, layout.world);
  setStage(built, layout, here, 'pass');
  const result = await (options.pass ?? runPass)(built, { program: options.program, user: isNova ? NOBODY : undefined });
  const command = `${isNova ? `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups ` : ''}basekeeper pass --config "$W/config.yaml"`;
  const recipe = `${tree.recipe()}\n${command}`;
  setStage(built, layout, here, 'host');
  const after = filesBelow(tree.root);
  const gone = [...before].filter(([path, inode]) => after.get(path) !== inode).map(([path]) => path);
  return { ...verdictOf(layout, built, standing, result, gone), removed: gone.length, recipe, held: result.report?.gate.open === false };
}

/** The tree goes to where the pass sees it, and back. */
function setStage({ tree }: Built, { world }: Layout, here: string, stage: 'pass' | 'host'): void {
  const swap = (host: string, pass: string): void => (stage === 'pass' ? tree.move(host, pass) : tree.move(pass, host));
  if (stage === 'pass') tree.renameRaw(stage);
  if (world.outside === 'hidden') swap(tree.outside, join(tree.root, 'hidden'));
  if (world.mounted === 'linked' && stage === 'pass') tree.link(dirname(here), dirname(tree.instances));
  if (world.mounted === 'elsewhere' || world.mounted === 'unnamed') swap(dirname(tree.instances), dirname(here));
  if (stage === 'host') tree.renameRaw(stage);
}

type Judgement = Pick<Verdict, 'fault' | 'message' | 'part' | 'overKept'>;

function verdictOf(layout: Layout, built: Built, standing: Standing, result: PassResult, gone: readonly string[]): Judgement {
  const lost = findLost(built, standing, gone);
  if (lost !== undefined) return lost;
  const fine: Judgement = { fault: undefined, message: '', part: undefined, overKept: 0 };
  const { report } = result;
  if (report === undefined || ![0, 3].includes(result.code))
    return { ...fine, fault: 'failed', message: `exit code ${result.code}: ${result.stderr}` };
  if (report.gate.open) return findLeftOver(layout, built, standing, gone);
  if (holdersOf(layout).length === 0) return { ...fine, fault: 'held-without-cause', message: gateOf(report) };
  return { ...fine, ...findVague(built, report) };
}

/** A file that is gone though something that is left needs it, or though it is none that a pass may remove. */
function findLost({ tree }: Built, standing: Standing, gone: readonly string[]): Judgement | undefined {
  const vanished = new Set(gone);
  const candidates = new Map(tree.candidates.map(({ path, part }) => [path, part]));
  const foreign = gone.find((path) => !candidates.has(path));
  if (foreign !== undefined)
    return { fault: 'lost', message: `${relative(tree.root, foreign)} is gone, which no pass may remove`, part: undefined, overKept: 0 };
  const left = [...standing.images].filter((path) => !vanished.has(path));
  for (const root of [...standing.named, ...left]) {
    const needed = [...closure(standing, [root])].find((path) => vanished.has(path));
    if (needed === undefined) continue;
    const stander = `${relative(tree.root, root)}${standing.named.has(root) ? ', which a source names,' : ''} uses it`;
    const message = `${relative(tree.root, needed)} is gone, and ${root === needed ? 'a source names it' : stander}`;
    return { fault: 'lost', message, part: candidates.get(needed), overKept: 0 };
  }
  return undefined;
}

/** With an open gate, all that nothing stands on goes. */
function findLeftOver({ world }: Layout, { tree }: Built, standing: Standing, gone: readonly string[]): Judgement {
  const candidates = new Set(tree.candidates.map(({ path }) => path));
  const roots = [...standing.images].filter((path) => !candidates.has(path));
  const needed = closure(standing, [...standing.named, ...roots]);
  const vanished = new Set(gone);
  const unneeded = tree.candidates.filter(({ path }) => !needed.has(path));
  const left = unneeded.filter(({ path }) => !vanished.has(path));
  // A name that was not followed protects the file of that name; what it names is then needed as well.
  // So is a file that has another name outside: a bind mount would look the same.
  const alike = left.filter(({ path }) => standing.lastNames.has(basename(path)) || lstatSync(path).nlink > 1);
  const unexplained = left.filter((candidate) => !alike.includes(candidate));
  const limit = world.limit === 'one' ? 1 : Infinity;
  const fault = unexplained.length > 0 && gone.length < Math.min(limit, unneeded.length - alike.length) ? 'left-over' : undefined;
  const names = unexplained.map(({ path }) => relative(tree.root, path)).join(', ');
  return {
    fault,
    message: fault === undefined ? '' : `nothing stands on ${names}, the gate is open, and still it is there`,
    part: unexplained[0]?.part,
    overKept: alike.length,
  };
}

/** A reason to hold that names nothing that a person could look at. */
function findVague({ tree }: Built, report: PassReport): Pick<Judgement, 'fault' | 'message'> {
  const paths = [...filesBelow(tree.root).keys(), ...tree.traps];
  const names = [...new Set(paths.flatMap((path) => namesOf(tree.instances, path)))];
  const vague = report.gate.reasons.find(({ message }) => !names.some((name) => message.includes(name)));
  if (vague === undefined) return { fault: undefined, message: '' };
  return { fault: 'not-actionable', message: `${vague.reason} names nothing that is there: ${vague.message}` };
}

/** How a message may name a path: from the instances path on, wholly, with its control characters escaped. */
function namesOf(instances: string, path: string): string[] {
  const relativePath = path.startsWith(`${instances}/`) ? relative(instances, path) : path;
  return [relativePath, JSON.stringify(relativePath).slice(1, -1)];
}

export function gateOf({ gate }: PassReport): string {
  return gate.reasons.map(({ reason, message }) => `${reason}: ${message}`).join(' | ');
}
