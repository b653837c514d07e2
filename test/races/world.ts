import { createHash } from 'node:crypto';
import type { BaseFile, TrashedFile } from '../../src/model/scan.ts';
import type { Overlay } from '../../src/model/overlay.ts';
import { parseTrashEntryName, trashEntryName } from '../../src/model/trash-names.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { BaseDirectory, BaseFileStat, DirectoryEntries, FileLocker, HeldLock, LockBatch } from '../../src/model/ports.ts';
import type { SourceReading, Workload } from '../../src/model/workload.ts';
import type { PassParts } from '../../src/pass/pass.ts';
import { createExecutor } from '../../src/execute/executor.ts';

/** One step of somebody else in the machine; runs until the next `yield`. */
export type Actor = Generator<void, void, void>;

const BASE_PATH = '/instances/_base';
const DAY_MS = 86_400_000;
/** Nobody takes longer from touching a base file to standing on it (the default of `minimumAgeFloorSeconds`). */
const FRESH_MS = 600_000;
export const START_MS = Date.parse('2026-11-23T14:00:00Z');

export const sha1 = (imageId: string): string => createHash('sha1').update(imageId).digest('hex');

interface File {
  readonly inode: number;
  mtimeMs: number;
}

interface InstanceDirectory {
  /** Disk name → base file name, or the name of another disk of the directory that leads to one. */
  readonly disks: Map<string, string>;
}

interface LockFile {
  holder: string | undefined;
}

interface Removal {
  readonly by: string;
  readonly name: string;
}

/** A workload and the moment from which the API server knows it. */
interface Known {
  readonly workload: Workload;
  readonly since: number;
}

/**
 * One node in memory: `_base`, instance directories, lock files, the API. Everything that Basekeeper's ports do here gives
 * the other actors a chance to act first, in an order and number that the given choices decide: between any two system calls,
 * also within one synchronous stretch of ours.
 */
export class World {
  nowMs = START_MS;
  readonly base = new Map<string, File>();
  /** Name in the trash → file. */
  readonly trash = new Map<string, File>();
  emptied = 0;
  restored = 0;
  readonly directories = new Map<string, InstanceDirectory>();
  readonly lockFiles = new Map<string, LockFile>();
  readonly openInQemu = new Map<string, number>();
  /** How many writers are between touching a base file and standing on it. */
  readonly bridges = new Map<string, number>();
  readonly api = new Map<string, Known>();
  readonly removals: Removal[] = [];
  /** What must never happen, with the moment at which it did. */
  readonly violations: string[] = [];
  readonly log: string[] = [];
  readonly #actors: Actor[] = [];
  readonly #choices: Iterator<number>;
  #steps = 0;
  #inodes = 1;

  constructor(choices: Iterable<number>) {
    this.#choices = choices[Symbol.iterator]();
  }

  get steps(): number {
    return this.#steps;
  }

  get busy(): boolean {
    return this.#actors.length > 0;
  }

  add(...actors: Actor[]): void {
    this.#actors.push(...actors);
  }

  /** The next choice; 0 when they are used up, so that a shrunk case does little. */
  choose(options: number): number {
    const next = this.#choices.next();
    return next.done === true ? 0 : next.value % options;
  }

  /** Between two system calls: none, one or a few steps of others. */
  between(): void {
    const count = this.choose(4);
    for (let done = 0; done < count; done++) this.stepOthers();
  }

  stepOthers(): void {
    if (this.#actors.length === 0) return;
    const index = this.choose(this.#actors.length);
    const actor = this.#actors[index];
    this.#steps++;
    if (actor?.next().done === true) this.#actors.splice(index, 1);
  }

  putFile(name: string, ageMs: number): void {
    this.base.set(name, { inode: this.#inodes++, mtimeMs: this.nowMs - ageMs });
  }

  putTrashed(name: string, trashedForMs: number): void {
    const entry = trashEntryName({ name, trashedAtMs: this.nowMs - trashedForMs });
    this.trash.set(entry, { inode: this.#inodes++, mtimeMs: this.nowMs - 3 * DAY_MS });
  }

  note(text: string): void {
    this.log.push(`${this.#steps}: ${text}`);
  }

  /** Base files that live overlays stand on: the truth that no evidence may miss. */
  standsOn(name: string): string | undefined {
    for (const [directory, { disks }] of this.directories) {
      for (const target of disks.values()) if (target === name) return directory;
    }
    return undefined;
  }
}

/** The lock file `nova-<name>` as a POSIX record lock: held by inode, created on demand, and possibly unlinked by others. */
export function tryLock(world: World, name: string, holder: string): LockFile | undefined {
  const file = world.lockFiles.get(name) ?? { holder: undefined };
  world.lockFiles.set(name, file);
  if (file.holder !== undefined) return undefined;
  file.holder = holder;
  return file;
}

export interface KeeperOptions {
  readonly name: string;
  readonly policy: Policy;
  readonly batchSize: number;
  /** Steps by which what the watch has shown lags behind the API server. */
  readonly lagSteps: number;
  /** Lets other asynchronous parts (a second Basekeeper) go first. */
  readonly turn: () => Promise<void>;
}

/** A Basekeeper in this world: the real pass and executor over ports that act here. */
export function keeper(world: World, options: KeeperOptions): PassParts {
  const seen = new SourceView(world, options.lagSteps);
  const pause = async (): Promise<void> => {
    world.between();
    await options.turn();
    world.between();
  };
  const clock = { now: () => ({ wallMs: world.nowMs, monotonicMs: world.nowMs - START_MS }) };
  return {
    node: 'node-a',
    policy: options.policy,
    basePath: BASE_PATH,
    baseDirectoryName: '_base',
    clock,
    scanner: { scan: async () => await scanBase(world, pause) },
    overlays: { scan: async ({ instanceNames }) => await scanOverlays(world, pause, instanceNames) },
    sources: [
      {
        name: 'api',
        start: () => {},
        stop: async () => {},
        read: async ({ consistent }) => {
          const startedMs = world.nowMs;
          await pause();
          return seen.read(consistent, startedMs);
        },
      },
    ],
    executor: createExecutor({
      clock,
      policy: options.policy,
      batchSize: { smallest: options.batchSize, largest: options.batchSize },
      locker: new WorldLocker(world, options.name, pause),
      directories: { open: () => baseDirectory(world, options, seen) },
    }),
  };
}

/** What the source's watch has shown: the API some steps ago, or now where a consistent list is asked for. */
class SourceView {
  readonly #world: World;
  readonly #lagSteps: number;
  readonly #history: { readonly step: number; readonly workloads: readonly Workload[] }[] = [];
  #consistentListAtMs: number | undefined;
  answered: readonly Workload[] = [];

  constructor(world: World, lagSteps: number) {
    this.#world = world;
    this.#lagSteps = lagSteps;
  }

  read(consistent: boolean, startedMs: number): SourceReading {
    const workloads = [...this.#world.api.values()].map(({ workload }) => workload);
    this.#history.push({ step: this.#world.steps, workloads });
    if (consistent) this.#consistentListAtMs = startedMs;
    this.answered = consistent ? workloads : this.#lagging(workloads);
    return {
      status: {
        name: 'api',
        state: 'synced',
        lastContactMs: this.#world.nowMs,
        freshLimitMs: DAY_MS,
        consistentListAtMs: this.#consistentListAtMs,
      },
      workloads: this.answered,
      gaps: [],
    };
  }

  #lagging(now: readonly Workload[]): readonly Workload[] {
    const shown = this.#history.findLast(({ step }) => step <= this.#world.steps - this.#lagSteps);
    return this.#lagSteps === 0 ? now : (shown?.workloads ?? now);
  }
}

async function scanBase(world: World, pause: () => Promise<void>): ReturnType<PassParts['scanner']['scan']> {
  const files: BaseFile[] = [];
  const partialDownloads = new Map<string, number>();
  for (const name of Array.from(world.base.keys())) {
    await pause();
    const file = world.base.get(name);
    if (file === undefined) continue;
    const digest = /^([0-9a-f]{40})\.part$/.exec(name)?.[1];
    if (digest !== undefined) partialDownloads.set(digest, file.mtimeMs);
    const kind = digest === undefined ? (name.length === 40 ? 'original' : 'resized') : 'foreign';
    files.push(rowOf(name, kind, file));
  }
  const trashed: TrashedFile[] = [];
  for (const [entry, file] of Array.from(world.trash)) {
    await pause();
    const parsed = parseTrashEntryName(entry);
    if (parsed === undefined) continue;
    const kind = parsed.name.length === 40 ? 'original' : 'resized';
    trashed.push({ ...rowOf(parsed.name, kind, file), entry, trashedAtMs: parsed.trashedAtMs });
  }
  const trash = { files: trashed, foreignEntries: 0, problems: [] };
  const scan = { basePath: BASE_PATH, exists: true, files, irregularEntries: 0, partialDownloads, problems: [], trash };
  const newestModifiedAtMs = Math.max(...files.map((file) => file.modifiedAtMs));
  return { ...scan, newestModifiedAtMs, filesystem: undefined, cacheUsageBytes: 0 };
}

function rowOf(name: string, kind: BaseFile['kind'], file: File): BaseFile {
  return {
    name,
    kind,
    sizeBytes: 1,
    allocatedBytes: 4096,
    modifiedAtMs: file.mtimeMs,
    modifiedAtNs: BigInt(Math.round(file.mtimeMs * 1e6)),
    device: 1n,
    inode: BigInt(file.inode),
  };
}

/** As the real scanner: list, visit each, and list again where a listed directory has vanished or one came while listing. */
async function scanOverlays(
  world: World,
  pause: () => Promise<void>,
  instanceNames: ReadonlySet<string>,
): ReturnType<PassParts['overlays']['scan']> {
  void instanceNames;
  const overlays = new Map<string, Overlay>();
  for (let again = true; again;) {
    const listed = [...world.directories.keys()];
    again = false;
    for (const instance of listed) {
      await pause();
      const directory = world.directories.get(instance);
      for (const [disk, baseName] of directory?.disks ?? []) {
        const reference = `${BASE_PATH}/${baseName}`;
        const chain = [{ reference, baseName, path: `_base/${baseName}`, exists: world.base.has(baseName), protects: [baseName] }];
        overlays.set(`${instance}/${disk}`, { instance, path: `${instance}/${disk}`, state: 'ok', chain });
      }
    }
    again = [...world.directories.keys()].some((name) => !listed.includes(name)) || listed.some((name) => !world.directories.has(name));
  }
  return { overlays: [...overlays.values()], baseImages: [], unseen: [], ignored: [], headersRead: overlays.size, headersCached: 0 };
}

class WorldLocker implements FileLocker {
  readonly #world: World;
  readonly #holder: string;
  readonly #pause: () => Promise<void>;

  constructor(world: World, holder: string, pause: () => Promise<void>) {
    this.#world = world;
    this.#holder = holder;
    this.#pause = pause;
  }

  async acquire(fileName: string): Promise<HeldLock | undefined> {
    for (let attempt = 0; attempt < 5; attempt++) {
      await this.#pause();
      const lock = tryLock(this.#world, fileName, this.#holder);
      if (lock !== undefined) return this.#held(fileName, lock);
    }
    return undefined;
  }

  batch(): LockBatch {
    return {
      tryLock: (fileName) => {
        this.#world.between();
        const lock = tryLock(this.#world, fileName, this.#holder);
        return lock === undefined ? undefined : this.#held(fileName, lock);
      },
      close: () => {},
    };
  }

  #held(fileName: string, lock: LockFile): HeldLock {
    return {
      waitedSeconds: 0,
      release: ({ remove }) => {
        if (remove && this.#world.lockFiles.get(fileName) === lock) this.#world.lockFiles.delete(fileName);
        this.#world.between();
        lock.holder = undefined;
      },
    };
  }
}

function baseDirectory(world: World, { name: keeperName, policy }: KeeperOptions, seen: SourceView): BaseDirectory {
  const base = entriesOf(world, world.base, (name, lastSeenMs) => {
    judgeRemoval(world, keeperName, policy, seen, name);
    if (!(world.nowMs - (lastSeenMs ?? Number.NaN) >= FRESH_MS))
      world.violations.push(`${keeperName} removed ${name}, which it saw to be fresh`);
  });
  return {
    ...base,
    usage: () => ({ sizeBytes: 1000, availableBytes: 500 }),
    openTrash: () => ({
      ...entriesOf(world, world.trash, (entry) => judgeEmptying(world, keeperName, entry)),
      list: () => [...world.trash.keys()],
      take(name, entry) {
        world.between();
        judgeRemoval(world, keeperName, policy, seen, name);
        const file = world.base.get(name);
        if (file === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' });
        world.base.delete(name);
        world.trash.set(entry, file);
      },
      giveBack(entry, name) {
        world.between();
        const file = world.trash.get(entry);
        if (file === undefined) throw Object.assign(new Error(`ENOENT: ${entry}`), { code: 'ENOENT' });
        if (world.base.has(name)) return 'exists';
        world.base.set(name, file);
        world.note(`${keeperName} gives ${name.slice(0, 8)} back`);
        world.between();
        world.restored++;
        return 'done';
      },
    }),
  };
}

function entriesOf(
  world: World,
  files: Map<string, File>,
  judge: (name: string, lastSeenMs: number | undefined) => void,
): DirectoryEntries {
  const lastSeenMs = new Map<string, number>();
  const stat = (name: string): BaseFileStat | undefined => {
    world.between();
    const file = files.get(name);
    if (file === undefined) return undefined;
    lastSeenMs.set(name, file.mtimeMs);
    const modifiedAtNs = String(BigInt(Math.round(file.mtimeMs * 1e6)));
    const size = { sizeBytes: 1, allocatedBytes: 1 };
    return { device: '1', inode: String(file.inode), modifiedAtNs, modifiedAtMs: file.mtimeMs, ...size, regular: true, links: 1 };
  };
  return {
    stat,
    touch(name, nowMs) {
      world.between();
      const file = files.get(name);
      if (file === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' });
      file.mtimeMs = nowMs;
    },
    withImageLock(name, identity, whileHeld) {
      const found = stat(name);
      if (found === undefined) return 'gone';
      if (found.inode !== identity.inode || found.modifiedAtNs !== identity.modifiedAtNs) return 'changed';
      if ((world.openInQemu.get(name) ?? 0) > 0) return 'busy';
      whileHeld();
      return 'done';
    },
    unlink(name) {
      world.between();
      judge(name, lastSeenMs.get(name));
      files.delete(name);
    },
    close: () => {},
  };
}

/** Emptied under the lock of its name, and never while a disk stands on that name and the cache has no file for it. */
function judgeEmptying(world: World, by: string, entry: string): void {
  const name = entry.replace(/\.[0-9]+$/, '');
  world.note(`${by} empties ${entry.slice(0, 8)}`);
  world.emptied++;
  const instance = world.standsOn(name);
  if (instance !== undefined && !world.base.has(name)) world.violations.push(`${by} emptied ${entry}, which the disk of ${instance} needs`);
  const holder = world.lockFiles.get(name)?.holder;
  if (holder !== by) world.violations.push(`${by} emptied ${entry} while ${holder ?? 'nobody'} held its lock`);
}

/** The property: what no removal may hit. */
function judgeRemoval(world: World, by: string, policy: Policy, seen: SourceView, name: string): void {
  world.note(`${by} unlinks ${name.slice(0, 8)}`);
  world.removals.push({ by, name });
  const instance = world.standsOn(name);
  if (instance !== undefined) world.violations.push(`${by} removed ${name} under the live overlay of ${instance}`);
  const holder = world.lockFiles.get(name)?.holder;
  if (holder !== by) world.violations.push(`${by} removed ${name} while ${holder ?? 'nobody'} held its lock`);
  const referenced = seen.answered.find(({ images }) => images.some(({ ref }) => sha1(ref) === name.slice(0, 40)));
  if (referenced !== undefined) world.violations.push(`${by} removed ${name} although it knew that ${referenced.name} uses it`);
  if (policy.liveUseCheck && (world.openInQemu.get(name) ?? 0) > 0) world.violations.push(`${by} removed ${name}, which a QEMU has open`);
}
