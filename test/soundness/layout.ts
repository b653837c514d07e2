import { Random } from '../hostile/random.ts';
import { EXTRAS, PART_AXES, WORLD_AXES, type Choice, type Extra, type PartChoices, type World } from './features.ts';

/** One stander. `id` gives the names of its files, so that they stay when other parts are taken away. */
export interface Part extends PartChoices {
  readonly id: number;
}

/** Everything that a tree is built from; nothing else decides. */
export interface Layout {
  readonly seed: number;
  readonly index: number;
  readonly world: World;
  readonly parts: readonly Part[];
  readonly extras: readonly Extra[];
}

type Axes = Readonly<Record<string, Readonly<Record<string, Choice>>>>;

const PLAIN_WEIGHT = 4;

/** The same layout for the same seed and index. Two of three have nothing that may hold a pass, the others one or two such things. */
export function randomLayout(seed: number, index: number): Layout {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const world = draw(WORLD_AXES, random) as World;
  const parts = Array.from({ length: 1 + random.below(4) }, (_, id) => ({ id, ...(draw(PART_AXES, random) as PartChoices) }));
  const extras = EXTRA_NAMES.filter((name) => !holds(EXTRAS[name]) && random.below(8) === 0);
  let layout: Layout = { seed, index, world, parts, extras };
  if (random.below(6) === 0) layout = withStatements(layout, random);
  for (let traps = random.below(3) === 0 ? 1 + random.below(2) : 0; traps > 0; traps--) layout = withTrap(layout, random);
  return settle(layout);
}

const EXTRA_NAMES = Object.keys(EXTRAS) as Extra[];
/** More than one would hide each other: a held pass loses nothing. */
const TRAPS = [
  ...holdingChoices(WORLD_AXES).map(([axis, choice]) => ({ kind: 'world', axis, choice }) as const),
  ...holdingChoices(PART_AXES).map(([axis, choice]) => ({ kind: 'part', axis, choice }) as const),
  ...EXTRA_NAMES.filter((name) => holds(EXTRAS[name])).map((name) => ({ kind: 'extra', name }) as const),
];

function withTrap(layout: Layout, random: Random): Layout {
  const trap = random.pick(TRAPS);
  if (trap.kind === 'extra') return { ...layout, extras: [...new Set([...layout.extras, trap.name])] };
  if (trap.kind === 'world') return { ...layout, world: { ...layout.world, [trap.axis]: trap.choice } };
  const chosen = random.pick(layout.parts);
  const parts = layout.parts.map((part) => (part === chosen ? { ...part, [trap.axis]: trap.choice } : part));
  // Modes matter only to who has no privileges.
  return { ...layout, parts, world: trap.axis === 'mode' ? { ...layout.world, user: 'nova' } : layout.world };
}

/** Lets several places say something about one disk that stands on what a pass does not read. */
function withStatements(layout: Layout, random: Random): Layout {
  const chosen = random.pick(layout.parts);
  const axes = ['namedBy', 'also', 'diskInfo', 'middleNamed'] as const;
  const said = Object.fromEntries(axes.map((axis) => [axis, random.pick(Object.keys(PART_AXES[axis]))]));
  const middle = random.pick(['outside', 'outside', 'outside', 'offset', 'within'] as const);
  return { ...layout, parts: layout.parts.map((part) => (part === chosen ? { ...part, ...said, middle } : part)) };
}

function draw(axes: Axes, random: Random): Record<string, string> {
  const drawn = Object.entries(axes).map(([axis, choices]) => {
    const open = Object.entries(choices).filter(([, choice]) => !holds(choice));
    const bag = open.flatMap(([name, { weight }], at) => Array.from({ length: weight ?? (at === 0 ? PLAIN_WEIGHT : 1) }, () => name));
    return [axis, random.pick(bag)] as const;
  });
  return Object.fromEntries(drawn);
}

function holdingChoices(axes: Axes): (readonly [string, string])[] {
  return Object.entries(axes).flatMap(([axis, choices]) =>
    Object.keys(choices).flatMap((choice) => (holds(choices[choice] ?? { about: '' }) ? [[axis, choice] as const] : [])),
  );
}

function holds(choice: Choice): boolean {
  return choice.holds === true;
}

/** The plain choice of an axis. */
export function plainOf(axes: Axes, axis: string): string {
  return Object.keys(axes[axis] ?? {})[0] ?? '';
}

/** Resolves choices that cannot go together, always in the same way. */
export function settle(layout: Layout): Layout {
  return { ...layout, parts: layout.parts.map((part) => settlePart(part, layout.world)) };
}

const IN_BASE = new Set(['base', 'trash', 'baseSub']);
/** A file that is no disk of an instance by its own name. */
const UNINFORMED = new Set(['fileLinkIn', 'fileLinkOut', 'outside', 'none', 'slice']);
const LINK_SPELLINGS = new Set(['alias', 'linkOut', 'linkIn', 'linkInAbsolute', 'linkInBase', 'jump', 'hardLinkOut']);
const VMDK_SPELLINGS = new Set(['absolute', 'relative', 'dotted', 'alias', 'linkOut']);

function settlePart(part: Part, world: World): Part {
  const settled: Settled = { ...part };
  if (world.user === 'root' || IN_BASE.has(part.place) || part.place === 'none' || part.place === 'top') settled.mode = 'readable';
  if ((part.place === 'outside' || part.place === 'none') && part.namedBy === 'nobody') settled.namedBy = 'definition';
  if (IN_BASE.has(part.place) && part.place !== 'baseSub') Object.assign(settled, { namedBy: 'nobody', also: 'nobody' });
  if (UNINFORMED.has(part.place) && part.diskInfo !== 'raw') settled.diskInfo = 'none';
  if (part.place !== 'base') settled.keeper = 'workload';
  if (part.place !== 'base' || !['young', 'foreign', 'pinnedName'].includes(part.keeper))
    settled.name = part.place === 'base' ? 'disk' : part.name;
  if (part.place === 'none') Object.assign(settled, { name: 'disk', format: 'qcow2', middle: 'none', spelling: 'absolute' });
  if (IN_BASE.has(part.place) || part.place === 'none') settled.diskInfo = 'none';
  settleEnclosed(settled);
  if (!hasMiddleOutside(settled)) settled.middleNamed = 'nobody';
  // What all read as raw has no header for QEMU: a guest that names a file outside must not hold its node, and loses nothing.
  if (hasMiddleOutside(settled) && settled.middleNamed === 'nobody') settled.declared = 'truly';
  if (isRawForAll(settled) && (hasMiddleOutside(settled) || isEnclosed(settled) || isNamedOutOfSight(settled, world)))
    Object.assign(settled, {
      diskInfo: 'none',
      also: 'nobody',
      namedBy: settled.namedBy === 'definitionRaw' ? 'definition' : settled.namedBy,
    });
  if (settled.format === 'vmdkExtent') {
    Object.assign(settled, { middle: 'none', baseFormat: 'raw', below: 'none', diskInfo: 'none' });
    if (!VMDK_SPELLINGS.has(settled.spelling)) settled.spelling = 'absolute';
  }
  if (['dataFile', 'vmdk', 'vmdkExtent', 'noFormat', 'qcow'].includes(settled.format) || settled.place === 'none')
    settled.declared = 'truly';
  if (settled.format === 'dataFile') Object.assign(settled, { middle: 'none', baseFormat: 'raw', below: 'none', spelling: 'absolute' });
  if (settled.format === 'vmdk') {
    // qemu-img opens the parent as it makes the image, from where that lies.
    if (!VMDK_SPELLINGS.has(settled.spelling) || part.place.startsWith('fileLink') || part.place === 'trash') settled.spelling = 'absolute';
    Object.assign(settled, { baseFormat: 'vmdk', below: 'none', middle: 'none' });
  }
  if (settled.middle === 'none') settled.depth = 'one';
  if (settled.below !== 'none') settled.baseFormat = 'qcow2';
  const isInTrash = settled.baseKind === 'trashed' || settled.baseKind.startsWith('twoNames');
  if (isInTrash && (settled.below !== 'none' || settled.place === 'none')) settled.baseKind = 'original';
  return settled;
}

type Settled = { -readonly [K in keyof Part]: Part[K] };

/** Images in other files are opened by a `json:` name, and name what they stand on by its whole path. */
function settleEnclosed(settled: Settled): void {
  if (settled.spelling === 'bindMount' && process.geteuid?.() !== 0) settled.spelling = 'absolute';
  if (settled.place === 'slice')
    Object.assign(settled, { namedBy: 'nobody', also: 'nobody', mode: 'readable', middle: 'none', format: 'qcow2', spelling: 'absolute' });
  if (!isEnclosed(settled)) return;
  Object.assign(settled, { format: 'qcow2', spelling: 'absolute', declared: 'truly' });
}

function isEnclosed({ middle }: Part): boolean {
  return middle === 'offset' || middle === 'within';
}

/** Whether there are places that say how the disk is read, and all of them say raw. */
function isRawForAll({ namedBy, also, diskInfo }: Part): boolean {
  const said = [namedBy, also, diskInfo].filter((what) => what !== 'nobody' && what !== 'none');
  return said.length > 0 && said.every((what) => ['definitionRaw', 'sameRaw', 'otherRaw', 'raw'].includes(what));
}

/** Whether a place names the disk without a format: only a stated one is reason to open files outside. */
function isNamedWithoutFormat({ namedBy, also }: Part): boolean {
  return ['definitionNone', 'probed', 'blockdev'].includes(namedBy) || ['otherCommandLine', 'otherProbed'].includes(also);
}

/** Whether the image names its base file by a link that the pass cannot follow: only a header that is believed may then hold. */
function isNamedOutOfSight({ spelling }: Part, { mounted, outside }: World): boolean {
  const isSeen = outside === 'visible' && (mounted === 'here' || mounted === 'linked');
  return !isSeen && LINK_SPELLINGS.has(spelling);
}

/** Whether the images between the stander and the base directory lie outside. */
function hasMiddleOutside({ middle, place }: Part): boolean {
  return middle === 'outside' || (middle === 'beside' && place === 'outside');
}

/** The choices that are not plain, as `axis=choice`; what a loss is filed under. */
export function featuresOf({ world, extras }: Layout, part: Part | undefined): string[] {
  const own = part === undefined ? [] : notPlain(PART_AXES, part);
  return [...notPlain(WORLD_AXES, world), ...own, ...(part === undefined ? extras : [])];
}

function notPlain(axes: Axes, choices: object): string[] {
  return Object.entries(choices)
    .filter(([axis, choice]) => Object.hasOwn(axes, axis) && choice !== plainOf(axes, axis))
    .map(([axis, choice]) => `${axis}=${choice}`);
}

/** What may hold a pass over this layout; empty where the gate must be open. */
export function holdersOf({ world, parts, extras }: Layout): string[] {
  const found = extras.filter((extra) => holds(EXTRAS[extra])).map(String);
  found.push(...holdingIn(WORLD_AXES, world), ...parts.flatMap((part) => holdingIn(PART_AXES, part)));
  // The path of the host leads nowhere where the pass runs.
  if (world.mounted !== 'here' && world.mounted !== 'linked' && parts.some(({ place }) => place === 'outside'))
    found.push('outside from elsewhere');
  // A link in the tree leads to a file that no source names.
  if (parts.some((part) => hasMiddleOutside(part) && part.spelling.startsWith('linkIn'))) found.push('link to a middle outside');
  if (parts.some((part) => hasMiddleOutside(part) && isNamedWithoutFormat(part))) found.push('no format, with a middle outside');
  return [...new Set(found)];
}

function holdingIn(axes: Axes, choices: object): string[] {
  return Object.entries(choices)
    .filter(([axis, choice]) => axes[axis]?.[String(choice)]?.holds === true)
    .map(([axis, choice]) => `${axis}=${choice}`);
}
