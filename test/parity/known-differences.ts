import { classify } from '../../src/scan/classify.ts';
import { ephemeralFileName } from '../../src/model/names.ts';
import type { NovaAnswer, NovaRepair } from './oracle.ts';
import { sha1Of, textOf, type ByteName } from './names.ts';
import type { Directory, Entry, Instance, Tree } from './tree-spec.ts';

/**
 * A difference that is intended, as docs/nova-parity.md explains: a tree on which Nova does what Basekeeper has to do on the
 * given one. What the other tree lacks must stay untouched. Nothing else is excused.
 */
export interface KnownDifference {
  readonly name: string;
  /** `answer`: what Nova did with the given tree. */
  readonly applies: (tree: Tree, answer: NovaAnswer) => boolean;
  readonly asIf?: (tree: Tree) => Tree;
  /** Files that Nova must take for foreign ones; they still count as what overlays stand on and as disk usage. */
  readonly standIns?: (tree: Tree, answer: NovaAnswer) => readonly ByteName[];
  readonly repair?: NovaRepair;
}

const FUTURE_TOLERANCE_MS = 60_000;

const isIrregular = (entry: Entry): boolean => entry.type !== 'file';
const isNoText = (entry: Entry): boolean => textOf(entry.name) === undefined;
const withoutBase = (tree: Tree, unwanted: (entry: Entry) => boolean): Tree => ({
  ...tree,
  base: tree.base.filter((entry) => !unwanted(entry)),
});

/** The names that Nova takes for instance directories. */
function instanceNames({ instances }: Tree): ReadonlySet<string> {
  const resizing = (one: Instance): boolean => one.vmState === 'resized' || RESIZE_STATES.has(one.taskState ?? '');
  return new Set(instances.flatMap((one) => [one.name, one.uuid, ...(resizing(one) ? [`${one.name}_resize`, `${one.uuid}_resize`] : [])]));
}
const RESIZE_STATES = new Set(['resize_prep', 'resize_migrating', 'resize_migrated', 'resize_finish']);

/** A disk that exists, but that Nova cannot read or that only a symbolic link leads to. */
function isUnreadable(entry: Entry, { link, entries }: Directory): boolean {
  if (entry.name !== 'disk') return false;
  const exists = entry.type !== 'symlink' || entry.target.startsWith('.') || entries.some(({ name }) => name === entry.target);
  return exists && (link || entry.type !== 'file' || entry.content.kind === 'truncated-qcow2');
}

function unreadableDisks(tree: Tree): boolean {
  const known = instanceNames(tree);
  return tree.baseExists && tree.directories.some((one) => known.has(one.name) && one.entries.some((entry) => isUnreadable(entry, one)));
}

const isForeign = (name: ByteName): boolean => classify(textOf(name) ?? '', 'nova') === 'foreign';

/** The swap and ephemeral files that instances use. */
function sizedNames({ instances }: Tree): string[] {
  return instances.flatMap(({ swapMb, ephemeral }) => [
    ...swapMb.map((size) => `swap_${size}`),
    ...ephemeral.map(({ sizeGb, filesystem }) => ephemeralFileName({ sizeGb, filesystem: filesystem ?? undefined })),
  ]);
}

/** Swap and ephemeral files that no instance uses as such, but an overlay stands on: Nova removes them. */
function unreferencedSizedFiles(tree: Tree, { active }: NovaAnswer): ByteName[] {
  const used = new Set(sizedNames(tree));
  return active.filter((name) => /^(?:swap|ephemeral)_/.test(name) && !used.has(name));
}

/** Age of the newest `.part` or `.converted` file of the image whose base file this is. */
function downloadAgeMs(base: readonly Entry[], { name }: Entry): number {
  const digest = /^([0-9a-f]{40})(?:_sm|_[0-9]+\n?)?$/.exec(name)?.[1];
  const downloads = base.filter(
    (entry) => entry.type === 'file' && (entry.name === `${digest}.part` || entry.name === `${digest}.converted`),
  );
  return Math.min(...downloads.map(({ ageMs }) => ageMs));
}

/** The resized files of each image in use. Nova overlooks some of them where there is more than one. */
function resizedInUse({ base, instances }: Tree): ByteName[][] {
  const images = instances.flatMap(({ imageRef, kernelId, ramdiskId }) => [imageRef, kernelId, ramdiskId]).filter((id) => id !== null);
  // Just one suffix: `<sha1>_1_2` is nobody's.
  const resized = base.map(({ name }) => name).filter((name) => /^.{40}_[0-9]+\n?$/s.test(name));
  return images.map((id) => resized.filter((name) => name.startsWith(`${sha1Of(id)}_`)));
}

/** Files that only the empty reference names: in use for Nova, and for nobody here. */
function isOnlyOfTheEmptyReference(tree: Tree, name: ByteName): boolean {
  if (!name.startsWith(EMPTY_DIGEST)) return false;
  const known = instanceNames(tree);
  const disks = tree.directories
    .filter((one) => known.has(one.name))
    .flatMap(({ entries }) => entries.filter((entry) => entry.name === 'disk'));
  return !disks.some(({ content }) => content.kind === 'qcow2' && content.backing?.split('/').at(-1) === name);
}
const EMPTY_DIGEST = sha1Of('');

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: 'IrregularEntry',
    applies: (tree) => tree.baseExists && tree.base.some(isIrregular),
    asIf: (tree) => withoutBase(tree, isIrregular),
  },
  {
    name: 'NameThatIsNoText',
    applies: (tree) => tree.baseExists && tree.base.some(isNoText),
    standIns: (tree) => tree.base.filter(isNoText).map(({ name }) => name),
  },
  {
    name: 'UnreadableOverlay',
    applies: (tree) => unreadableDisks(tree),
    asIf: (tree) => ({
      ...tree,
      removeUnused: false,
      directories: tree.directories.map((one) => ({ ...one, entries: one.entries.filter((entry) => !isUnreadable(entry, one)) })),
    }),
  },
  {
    name: 'FileFromTheFuture',
    applies: (tree, answer) => {
      const inUse = new Set([...answer.active, ...resizedInUse(tree).flat(), ...sizedNames(tree)]);
      return tree.base.some(
        ({ name, type, ageMs }) =>
          type === 'file' && ageMs < -FUTURE_TOLERANCE_MS && inUse.has(name) && !isForeign(name) && !isOnlyOfTheEmptyReference(tree, name),
      );
    },
    asIf: (tree) => ({ ...tree, removeUnused: false }),
  },
  {
    name: 'EmptyReference',
    applies: ({ instances }) => instances.some((one) => IMAGE_KEYS.some((key) => one[key] === '')),
    asIf: (tree) => ({ ...tree, instances: tree.instances.map(withoutEmptyReferences) }),
  },
  {
    name: 'EverySwapAndEphemeralDisk',
    applies: (tree) => tree.instances.some(({ swapMb, ephemeral }) => swapMb.length > 1 || ephemeral.length > 1),
    asIf: (tree) => ({ ...tree, instances: tree.instances.flatMap(oneDiskEach) }),
  },
  {
    name: 'DownloadInProgress',
    applies: ({ base }) => base.some((entry) => downloadAgeMs(base, entry) < entry.ageMs),
    asIf: (tree) => ({
      ...tree,
      base: tree.base.map((entry) => ({ ...entry, ageMs: Math.min(entry.ageMs, downloadAgeMs(tree.base, entry)) })),
    }),
  },
  {
    name: 'SwapOrEphemeralFileUnderAnOverlay',
    applies: (tree, answer) => unreferencedSizedFiles(tree, answer).length > 0,
    standIns: unreferencedSizedFiles,
  },
  {
    name: 'EveryResizedFile',
    applies: (tree) => resizedInUse(tree).some(({ length }) => length > 1),
    repair: { listBaseFilesFirst: true },
  },
];

const IMAGE_KEYS = ['imageRef', 'kernelId', 'ramdiskId'] as const;

function withoutEmptyReferences(one: Instance): Instance {
  return { ...one, ...Object.fromEntries(IMAGE_KEYS.filter((key) => one[key] === '').map((key) => [key, null])) };
}

/** The same instance, and one more for each disk that Nova overlooks. */
function oneDiskEach(one: Instance): Instance[] {
  const more = (suffix: string, parts: Partial<Instance>): Instance => ({
    ...one,
    name: `${one.name}${suffix}`,
    uuid: `${one.uuid}${suffix}`,
    imageRef: null,
    kernelId: null,
    ramdiskId: null,
    swapMb: [],
    ephemeral: [],
    ...parts,
  });
  return [
    one,
    ...one.swapMb.slice(1).map((size, index) => more(`-swap-${index}`, { swapMb: [size] })),
    ...one.ephemeral.slice(1).map((disk, index) => more(`-ephemeral-${index}`, { ephemeral: [disk] })),
  ];
}
