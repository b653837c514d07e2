import * as fc from 'fast-check';
import { baseFileName, baseFileText, bytesOf, imageId, sha1Of, textOf, IMAGE_IDS, type ByteName } from './names.ts';
import { NOW_MS, type Content, type Directory, type Entry, type Instance, type Tree } from './tree-spec.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const around = (limitMs: number): fc.Arbitrary<number> => fc.constantFrom(-1000, -1, 0, 1, 1000).map((offset) => limitMs + offset);
const ageMs: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(5000, 2 * HOUR_MS, 3 * DAY_MS, 400 * DAY_MS) },
  { weight: 2, arbitrary: around(DAY_MS) },
  { weight: 2, arbitrary: around(HOUR_MS) },
  { weight: 1, arbitrary: fc.constantFrom(1, -1000, -DAY_MS, -3650 * DAY_MS, NOW_MS, NOW_MS + DAY_MS) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 10 * DAY_MS }) },
);

const baseContent: fc.Arbitrary<Content> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 4096, 20_000).map((bytes): Content => ({ kind: 'data', bytes })) },
  { weight: 1, arbitrary: fc.constant<Content>({ kind: 'sparse', bytes: 1_000_000 }) },
  { weight: 1, arbitrary: fc.constant<Content>({ kind: 'qcow2', backing: null }) },
);

const irregularType = fc.constantFrom('directory' as const, 'symlink' as const, 'fifo' as const, 'socket' as const);
const entryType = (irregularShare: number): fc.Arbitrary<Entry['type']> =>
  fc.oneof({ weight: 100 - irregularShare, arbitrary: fc.constant('file' as const) }, { weight: irregularShare, arbitrary: irregularType });

function entry(name: fc.Arbitrary<ByteName>, type: fc.Arbitrary<Entry['type']>, content: fc.Arbitrary<Content>): fc.Arbitrary<Entry> {
  const target = fc.oneof(baseFileText, fc.constantFrom('missing', '{root}/outside', '.', '..', 'disk.local', 'disk1'));
  return fc.record({ name, type, ageMs, content, target });
}

/** Stands for the name of some file of the tree's own `_base`, by its index. */
const CHOSEN = /\{base (\d+)\}/;
const baseNameInHeader = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 13 }).map((index) => `{base ${index}}`) },
  { weight: 1, arbitrary: baseFileText.map((name) => textOf(name) ?? '') },
);
const directoriesInHeader = [
  '{root}/_base/',
  '{root}/_base/',
  '../_base/',
  '',
  '/elsewhere/_base/',
  'file:{root}/_base/',
  './',
  '{root}/_base/../_base/',
];
const strangeBacking = ['nbd://host/export', 'json:{"driver":"qcow2","file.filename":"x"}', '/', '..', '{root}/other/disk', 'rbd:pool/x'];

/** What an overlay names as its backing file, in every form that a header can hold. */
const backing: fc.Arbitrary<string | null> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom(...directoriesInHeader), baseNameInHeader).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.constantFrom(...strangeBacking) },
);

function resolveBacking(content: Content, base: readonly Entry[]): Content {
  if (content.kind !== 'qcow2' || content.backing === null) return content;
  const resolved = content.backing.replace(CHOSEN, (_, index: string) => {
    const chosen = base[Number(index) % Math.max(base.length, 1)];
    return (chosen === undefined ? undefined : textOf(chosen.name)) ?? sha1Of('nothing is cached');
  });
  return { kind: 'qcow2', backing: resolved };
}

const flatDisk = fc.constantFrom<Content>({ kind: 'data', bytes: 3000 }, { kind: 'zeros', bytes: 0 }, { kind: 'sparse', bytes: 1_000_000 });
const diskContent = (odd: boolean): fc.Arbitrary<Content> =>
  fc.oneof(
    { weight: 16, arbitrary: backing.map((name): Content => ({ kind: 'qcow2', backing: name })) },
    { weight: 1, arbitrary: flatDisk },
    { weight: odd ? 1 : 0, arbitrary: fc.constant<Content>({ kind: 'truncated-qcow2' }) },
  );
const otherFiles = ['disk.local', 'disk.eph0', 'disk.swap', 'disk.config', 'disk.rescue', 'disk.info', 'console.log', 'disk1', 'Disk'];
const diskName = fc
  .oneof({ weight: 3, arbitrary: fc.constant('disk') }, { weight: 1, arbitrary: fc.constantFrom(...otherFiles) })
  .map(bytesOf);

const INSTANCE_NUMBERS = [1, 2, 3, 4] as const;
const instanceName = (number: number): string => `instance-0000000${number}`;
const instanceUuid = (number: number): string => `00000000-0000-4000-8000-00000000000${number}`;
const instanceDirectory = fc
  .tuple(fc.constantFrom(instanceName, instanceUuid), fc.constantFrom(...INSTANCE_NUMBERS), fc.constantFrom('', '', '', '_resize'))
  .map(([form, number, end]) => form(number) + end);
const otherDirectories = ['unknown-instance', 'compute_nodes.d', '__proto__', '_base_old', 'snapshots', 'ünïcode'];
const directoryName = fc.oneof({ weight: 8, arbitrary: instanceDirectory }, { weight: 1, arbitrary: fc.constantFrom(...otherDirectories) });

const directory = (odd: boolean): fc.Arbitrary<Directory> =>
  fc.record({
    name: directoryName.map(bytesOf),
    link: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, { weight: odd ? 1 : 0, arbitrary: fc.constant(true) }),
    entries: fc.uniqueArray(entry(diskName, entryType(odd ? 3 : 0), diskContent(odd)), { maxLength: 3, selector: (one) => one.name }),
  });

const reference = (odd: boolean): fc.Arbitrary<string | null> =>
  fc.oneof({ weight: 4, arbitrary: imageId(odd) }, { weight: 1, arbitrary: fc.constant(null) });
const seldom = (odd: boolean): fc.Arbitrary<string | null> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: imageId(odd) });
type State = readonly [vmState: string, taskState: string | null];
const RESIZING: readonly State[] = [
  ...([
    ['resized', null],
    ['resized', 'resize_confirming'],
    ['active', 'resize_prep'],
  ] as const),
  ...([
    ['active', 'resize_migrating'],
    ['active', 'resize_migrated'],
    ['active', 'resize_finish'],
  ] as const),
];
const OTHER: readonly State[] = [
  ['building', 'spawning'],
  ['error', null],
  ['shelved_offloaded', null],
  ['soft-delete', null],
];
const state = fc.oneof(
  { weight: 4, arbitrary: fc.constant<State>(['active', null]) },
  { weight: 2, arbitrary: fc.constantFrom(...RESIZING) },
  { weight: 1, arbitrary: fc.constantFrom(...OTHER) },
);
const ephemeralDisk = fc.record({ sizeGb: fc.constantFrom(4, 20), filesystem: fc.constantFrom(null, 'ext4', 'xfs', 'vfat') });

/** Odd instances have two swap or ephemeral disks, of which Nova overlooks one. */
function instance(number: number, odd: boolean): fc.Arbitrary<Instance> {
  const maxLength = odd ? 2 : 1;
  const swapMb = fc.array(fc.constantFrom(128, 512, 1024), { maxLength });
  const ephemeral = fc.array(ephemeralDisk, { maxLength });
  const parts = fc.record({ imageRef: reference(odd), kernelId: seldom(odd), ramdiskId: seldom(odd), state, swapMb, ephemeral });
  return parts.map(({ state: [vmState, taskState], ...rest }) => ({
    name: instanceName(number),
    uuid: instanceUuid(number),
    vmState,
    taskState,
    ...rest,
  }));
}

const instances = (odd: boolean): fc.Arbitrary<readonly Instance[]> =>
  fc
    .oneof({ weight: 9, arbitrary: fc.subarray([...INSTANCE_NUMBERS], { minLength: 2 }) }, { weight: 1, arbitrary: fc.constant([]) })
    .chain((numbers) => fc.tuple(...numbers.map((number) => instance(number, odd))));

const minimumAges = fc.oneof(
  { weight: 6, arbitrary: fc.constant([86_400, 3600] as const) },
  { weight: 2, arbitrary: fc.constantFrom([3600, 86_400] as const, [0, 0] as const, [60, 1] as const, [86_400, 86_400] as const) },
);

/** Lock files left behind, some of files that exist. */
const lockName = fc.oneof(
  { weight: 4, arbitrary: baseFileName.filter((name) => name.length < 250).map((name) => `nova-${name}`) },
  { weight: 1, arbitrary: fc.constantFrom(`nova-${sha1Of(IMAGE_IDS[0] ?? '')}`, 'nova-storage-registry-lock', 'unrelated') },
);

function treeOf(odd: boolean): fc.Arbitrary<Tree> {
  const parts = fc.record({
    baseExists: fc.oneof({ weight: 30, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    locksExist: fc.boolean(),
    base: fc.uniqueArray(entry(odd ? baseFileName : baseFileText, entryType(odd ? 15 : 0), baseContent), {
      maxLength: 14,
      selector: (one) => one.name,
    }),
    directories: fc.uniqueArray(directory(odd), { maxLength: 6, selector: (one) => one.name }),
    locks: fc.uniqueArray(lockName, { maxLength: 4 }),
    instances: instances(odd),
    removeUnused: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    ages: minimumAges,
  });
  return parts.map(({ ages: [originalMinimumAgeSeconds, resizedMinimumAgeSeconds], directories, ...tree }) => ({
    ...tree,
    originalMinimumAgeSeconds,
    resizedMinimumAgeSeconds,
    directories: directories.map((one) => ({
      ...one,
      entries: one.entries.map((disk) => ({ ...disk, content: resolveBacking(disk.content, tree.base) })),
    })),
  }));
}

/**
 * Random trees and workloads; shrinks to the smallest one that still differs. Three of four hold nothing that Basekeeper treats
 * in its own way on purpose: those compare the two most closely.
 */
export const anyTree: fc.Arbitrary<Tree> = fc.oneof({ weight: 3, arbitrary: treeOf(false) }, { weight: 1, arbitrary: treeOf(true) });
