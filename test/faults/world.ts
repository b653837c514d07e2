import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, lutimesSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TRASH_DIRECTORY } from '../../src/model/trash-names.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { qemuImg } from '../helpers/qemu-img.ts';
import { DAY, buildTree, type Tree, type TreeSpec } from '../helpers/tree.ts';
import { NOBODY } from '../helpers/execute-tree.ts';
import { recordsOf, unrecorded } from './recorded.ts';

const PYTHON = '/usr/bin/python3';

/** Who Nova is here: not who we are, where we are root. */
const NOVA = process.getuid?.() === 0 ? NOBODY : undefined;

const REFERENCED = ['referenced-a', 'referenced-b'] as const;
const BACKING = ['backing-a', 'backing-b'] as const;

/** A cache in use on a real tree, with overlays that the real qemu-img made, and much that nothing uses. */
export interface World extends Disposable {
  readonly tree: Tree;
  /** The file source's list: it names the images that only a workload protects. */
  readonly workloadsPath: string;
  readonly configPath: string;
  /** Other hosts may have the directory mounted as well. */
  readonly shared: boolean;
  readonly trash: boolean;
  /** Names in `_base` that must never go. */
  readonly used: readonly string[];
  /** Names in `_base` that a pass removes. */
  readonly unused: readonly string[];
  /** How many records of removals there were when all of these were there. */
  recorded: number;
}

export interface WorldOptions {
  /** Default 6. */
  readonly unused?: number;
  /** Whether Nova has made the lock directory. Default false: the pass makes it. */
  readonly locks?: boolean;
  /** Other hosts may have the directory mounted as well. Default false. */
  readonly shared?: boolean;
  /** Removed files go to the trash. Default false. */
  readonly trash?: boolean;
}

const old = { ageSeconds: 3 * DAY };

export function buildWorld({ unused = 6, locks = false, shared = false, trash = false }: WorldOptions = {}): World {
  const used = [...REFERENCED, ...BACKING].map(cacheFileName);
  const gone = Array.from({ length: unused }, (_, index) => cacheFileName(`unused-${index}`));
  const spec: Record<string, TreeSpec[string]> = locks ? { locks: { directory: true } } : {};
  for (const name of [...used, ...gone]) spec[`_base/${name}`] = { ...old, content: contentOf(name) };
  const tree = buildTree(spec);
  for (const image of BACKING) {
    const directory = `vm-on-${image}`;
    tree.add({ [directory]: { directory: true } });
    const base = tree.path(`_base/${cacheFileName(image)}`);
    qemuImg(['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', tree.path(`${directory}/disk`), '1M']);
  }
  const workloadsPath = tree.path('../workloads.yaml');
  writeFileSync(workloadsPath, `workloads:\n${REFERENCED.map((image) => `  - {name: vm-of-${image}, imageRef: ${image}}\n`).join('')}`);
  const configPath = tree.path('../config.yaml');
  const sharedStorage = { enabled: shared, settleSeconds: 0 };
  writeFileSync(configPath, JSON.stringify({ sharedStorage, trash: { enabled: trash }, maxRemovalsPerPass: 0 }));
  giveToNova(tree.instancesPath);
  return { tree, workloadsPath, configPath, shared, trash, used, unused: gone, recorded: 0, [Symbol.dispose]: tree.cleanup };
}

/** Puts back what passes have removed, and makes everything as old as it was. */
export function refill(world: World): void {
  const { tree, used, unused } = world;
  const present = new Set(readdirSync(tree.basePath));
  tree.add(Object.fromEntries(unused.filter((name) => !present.has(name)).map((name) => [`_base/${name}`, { content: contentOf(name) }])));
  const seconds = Date.now() / 1000 - old.ageSeconds;
  for (const name of [...used, ...unused]) lutimesSync(tree.path(`_base/${name}`), seconds, seconds);
  giveToNova(tree.instancesPath);
  world.recorded = recordsOf(tree.instancesPath).length;
}

/** Workloads that need what nothing used. */
export function needAgain({ workloadsPath, unused }: World): void {
  const workloads = unused.map((_, index) => ({ name: `vm-again-${index}`, imageRef: `unused-${index}` }));
  const used = REFERENCED.map((image) => ({ name: `vm-of-${image}`, imageRef: image }));
  writeFileSync(workloadsPath, JSON.stringify({ workloads: [...used, ...workloads] }));
}

/** Names in the trash. */
export function trashed({ tree }: World): string[] {
  return readdirSync(tree.path(`_base/${TRASH_DIRECTORY}`));
}

/** What a pass that was broken off may not have left behind; one sentence each. */
export function damages(world: World): string[] {
  const notNovas = [...locksThatNovaCannotHave(world), ...registryThatNovaCannotWrite(world)];
  return [...lostFiles(world), ...lostFromTrash(world), ...strangers(world), ...notNovas, ...notRecorded(world)];
}

/** Files in use that are gone or changed. */
export function lostFiles({ tree, used }: World): string[] {
  return used.filter((name) => readOrNothing(tree.path(`_base/${name}`)) !== contentOf(name)).map((name) => `${name} is in use and lost`);
}

/** With the trash on, nothing is lost: what has left `_base` lies there, as it was. */
function lostFromTrash({ tree, unused, trash }: World): string[] {
  if (!trash) return [];
  const present = new Set(readdirSync(tree.basePath));
  const trashPath = tree.path(`_base/${TRASH_DIRECTORY}`);
  const entries = present.has(TRASH_DIRECTORY) ? readdirSync(trashPath) : [];
  const isKept = (name: string): boolean =>
    entries.some((entry) => entry.startsWith(`${name}.`) && readOrNothing(join(trashPath, entry)) === contentOf(name));
  return unused.filter((name) => !present.has(name) && !isKept(name)).map((name) => `${name} is neither there nor in the trash`);
}

/** Whatever has gone was recorded before. */
function notRecorded(world: World): string[] {
  const left = new Set(leftOver(world));
  const gone = world.unused.filter((name) => !left.has(name));
  return unrecorded(world.tree.instancesPath, gone, world.recorded);
}

/** The names that a pass has still to remove. */
export function leftOver({ tree, unused }: World): string[] {
  const present = new Set(readdirSync(tree.basePath));
  return unused.filter((name) => present.has(name));
}

/** What a directory that is shared has besides. A temporary file is replaced by the next pass. */
const SHARED_FILES = [
  'compute_nodes',
  '.compute_nodes.tmp',
  'locks/nova-storage-registry-lock',
  'locks/basekeeper-hosts.json',
  'locks/.basekeeper-hosts.json.tmp',
];

/** An empty directory that was to become `locks`, or an empty file that was to become a lock file: the next that makes one removes it. */
const LEFTOVER = /^(\.basekeeper-|locks\/\.basekeeper-lock-)[0-9a-f-]{36}$/;

/** The record of removals. A temporary file is replaced by the next pass that removes something. */
const LEDGER = /^locks\/basekeeper-ledger(\/[^/]+(\/(lock|ledger-[0-9]{6}\.jsonl|head\.json|\.head\.json\.tmp))?)?$/;

/** Anything that nobody put there: temporary files, half-made directories. */
function strangers({ tree, used, unused, shared, trash }: World): string[] {
  const known = new Set(['_base', 'locks', ...BACKING.flatMap((image) => [`vm-on-${image}`, `vm-on-${image}/disk`])]);
  for (const name of [...used, ...unused]) known.add(`_base/${name}`).add(`locks/nova-${name}`);
  if (shared) for (const name of SHARED_FILES) known.add(name);
  const found = readdirSync(tree.instancesPath, { recursive: true, encoding: 'utf8' });
  const ofTrash = new RegExp(`^_base/${TRASH_DIRECTORY}(/(${unused.join('|')})\\.[0-9]+)?$`, 'u');
  return found
    .filter((path) => !known.has(path) && !LEFTOVER.test(path) && !LEDGER.test(path) && !(trash && ofTrash.test(path)))
    .map((path) => `${path} was left behind`);
}

/** As fasteners does for oslo.concurrency, by Nova's own user: makes the directory, opens the file for writing, locks it by fcntl. */
const TAKE_LOCKS = `
import fcntl, os, sys
locks, *names = sys.argv[1:]
os.makedirs(locks, exist_ok=True)
for name in names:
    try:
        with open(os.path.join(locks, 'nova-' + name), 'a') as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        print('Nova cannot lock %s: %s' % (name, error))
`;

function locksThatNovaCannotHave({ tree, shared, used, unused }: World): string[] {
  const identity = NOVA === undefined ? {} : { uid: NOVA, gid: statSync(tree.instancesPath).gid };
  const registry = shared ? ['storage-registry-lock'] : [];
  const args = ['-c', TAKE_LOCKS, join(tree.instancesPath, 'locks'), ...registry, ...used, ...unused];
  const { status, stdout, stderr } = spawnSync(PYTHON, args, { encoding: 'utf8', ...identity });
  if (status !== 0) return [`Nova cannot take locks: ${stderr}`];
  return stdout.split('\n').filter((line) => line !== '');
}

/** As Nova's user, and nothing is written. */
function registryThatNovaCannotWrite({ tree }: World): string[] {
  const stats = statSync(tree.path('compute_nodes'), { throwIfNoEntry: false });
  if (stats === undefined || NOVA === undefined || stats.uid === NOVA) return [];
  return [`compute_nodes belongs to user ${stats.uid}, and Nova cannot write it`];
}

function contentOf(name: string): string {
  return name.repeat(100);
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function giveToNova(instancesPath: string): void {
  if (NOVA === undefined) return;
  const paths = ['_base', 'locks'].map((name) => join(instancesPath, name));
  for (const path of [instancesPath, ...paths.filter((it) => existsSync(it))]) chownSync(path, NOVA, -1);
}
