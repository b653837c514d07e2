import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFileLocker } from '../../src/disk/locks/nova-lock.ts';
import type { HeldLock } from '../../src/model/ports.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { randomDisk, writeDisk, type DiskLayout } from './disks.ts';
import type { Random } from '../hostile/random.ts';
import type { Api, Kind } from './api.ts';
import type { SpellingTree } from '../soundness/references.ts';
import type { Need, Referee } from './referee.ts';

/** Many VMs share a popular image; of the others most are in use by nobody, or by a single one that soon goes. */
const POPULAR_IMAGES = 24;
const OTHER_IMAGES = 600;
const THREE_DAYS_SECONDS = 3 * 86_400;
const TWO_DAYS_MS = 2 * 86_400_000;

interface Vm {
  readonly kind: Kind;
  readonly name: string;
  readonly disk: DiskLayout;
  /** The API no longer knows it, or is about to forget it. */
  forgotten: boolean;
  /** What its overlay stands on. */
  base: string | undefined;
  needs: Need[];
}

export interface VmsParts {
  readonly instancesPath: string;
  readonly api: Api;
  readonly referee: Referee;
  readonly random: Random;
}

/**
 * VMs that come and go. Each is made as Nova's imagebackend.cache does it: the API knows it first, then fetch under the file's
 * lock, touch without it, create the overlay under it again.
 */
export class Vms {
  readonly counts = { started: 0, flat: 0, retried: 0, rebuilt: 0, migrated: 0, orphaned: 0, ended: 0, aged: 0 };
  readonly #parts: VmsParts;
  readonly #locker;
  readonly #vms = new Set<Vm>();
  /** Base file → how many are between the API's knowledge and their overlay. */
  readonly #spawning = new Map<string, number>();
  #next = 0;
  #fetched = 0;

  constructor(parts: VmsParts) {
    this.#parts = parts;
    this.#locker = createFileLocker({ locksPath: join(parts.instancesPath, 'locks') });
  }

  get size(): number {
    return this.#vms.size;
  }

  async start(kind: Kind): Promise<void> {
    const { api, random } = this.#parts;
    const name = `${kind}-${this.#next++}`;
    const image = this.#anyImage();
    const base = `${cacheFileName(image)}${random.below(10) < 3 ? '_10737418240' : ''}`;
    // After an unshelve nothing names the image but the overlay's header.
    const known = random.below(10) < 8;
    const vm: Vm = { kind, name, disk: randomDisk(random), forgotten: false, base: undefined, needs: [] };
    await this.spawning(base, async () => {
      await api.create(kind, name, { 'basekeeper.io/image-ref': known ? image : '', 'basekeeper.io/instance': name });
      await this.#spawn(vm, base, known);
    });
    this.#vms.add(vm);
    this.counts.started++;
  }

  /** Something in the life of a VM. */
  async step(): Promise<void> {
    const { random } = this.#parts;
    if (this.#vms.size === 0) return;
    const vm = random.pick([...this.#vms]);
    this.#vms.delete(vm);
    const next = random.below(10);
    if (next < 5) return await this.#end(vm);
    if (next < 7) await this.#rebuild(vm);
    else if (next < 9 && vm.kind === 'vmi') await this.#migrate(vm);
    else if (next < 9) await this.#resize(vm);
    else await this.#orphan(vm);
    this.#vms.add(vm);
  }

  /** Days pass for a base file. Where somebody is spawning from it, its fresh mtime is all that protects it: not there. */
  age(base: string): void {
    const path = this.#path('_base', base);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // What is old already keeps its mtime: a new one would only take it out of the plan.
    if (this.#spawning.has(base) || stats === undefined || Date.now() - stats.mtimeMs > TWO_DAYS_MS) return;
    const seconds = Date.now() / 1000 - THREE_DAYS_SECONDS;
    utimesSync(path, seconds, seconds);
    this.counts.aged++;
  }

  anyBase(): string {
    return `${cacheFileName(this.#anyImage())}${this.#parts.random.below(10) < 3 ? '_10737418240' : ''}`;
  }

  /** A base file that somebody needs; any, where nobody needs one. */
  anyNeeded(): string {
    const needed = this.#parts.referee.needed();
    return needed.length === 0 ? this.anyBase() : this.#parts.random.pick(needed);
  }

  async spawning<T>(base: string, work: () => Promise<T>): Promise<T> {
    this.#spawning.set(base, (this.#spawning.get(base) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const rest = (this.#spawning.get(base) ?? 1) - 1;
      if (rest === 0) this.#spawning.delete(base);
      else this.#spawning.set(base, rest);
    }
  }

  async #spawn(vm: Vm, base: string, known: boolean): Promise<void> {
    const { referee, random } = this.#parts;
    const path = this.#path('_base', base);
    const byName: Need = { who: `the reference of ${vm.name}`, base, stands: () => !vm.forgotten };
    for (;;) {
      if (!existsSync(path)) await this.#locked(base, () => this.#fetch(path));
      await sleep(random.below(20));
      try {
        const now = Date.now() / 1000;
        utimesSync(path, now, now);
      } catch {
        // It went between the look and the touch; Nova's caller tries again.
        this.counts.retried++;
        continue;
      }
      break;
    }
    if (known && referee.protect(byName)) vm.needs.push(byName);
    await sleep(random.below(20));
    mkdirSync(this.#path(vm.name), { recursive: true });
    const { disk } = vm;
    const overlay = this.#path(vm.name, disk.path);
    // A flat disk is a copy: nothing on disk says that its image is in use, only the API does.
    const flat = known && random.below(10) < 4;
    await this.#locked(base, () => {
      if (!existsSync(path)) referee.violations.push(`${base} vanished after ${vm.name} had touched it`);
      vm.base = flat ? undefined : base;
      if (flat) {
        mkdirSync(dirname(overlay), { recursive: true });
        writeFileSync(overlay, 'a copy of its image');
        this.counts.flat++;
        return;
      }
      writeDisk(this.#tree, this.#path(vm.name), disk, path);
      const need: Need = { who: `the overlay of ${vm.name}`, base, stands: () => vm.base === base && existsSync(overlay) };
      if (referee.protect(need)) vm.needs.push(need);
    });
  }

  /** images.fetch_to_raw: a .part file first, then the name that counts. */
  #fetch(path: string): void {
    if (existsSync(path)) return;
    // No two of the same size: the referee tells them apart even when a file system gives the same inode number again.
    writeFileSync(`${path}.part`, 'x'.repeat(4096 + this.#fetched++));
    renameSync(`${path}.part`, path);
  }

  async #locked(base: string, work: () => void): Promise<void> {
    let lock: HeldLock | undefined;
    while (lock === undefined) lock = await this.#locker.acquire(base, { timeoutSeconds: 60 });
    const { referee } = this.#parts;
    const need: Need = { who: 'the holder of its lock', base, stands: () => true };
    referee.protect(need);
    try {
      work();
      referee.release(need);
    } finally {
      lock.release({ remove: false });
    }
  }

  async #end(vm: Vm): Promise<void> {
    const { api, random, referee } = this.#parts;
    for (const need of vm.needs) referee.check(need);
    const [bases, wasKnown] = [vm.needs.map(({ base }) => base), !vm.forgotten];
    const forget = async (): Promise<void> => {
      vm.forgotten = true;
      if (wasKnown) await api.delete(vm.kind, vm.name);
    };
    const remove = (): void => rmSync(this.#path(vm.name), { recursive: true, force: true });
    if (random.below(2) === 0) await forget().then(remove);
    else {
      remove();
      await forget();
    }
    for (const need of vm.needs) referee.release(need);
    for (const base of bases) if (random.below(10) < 8) this.age(base);
    this.counts.ended++;
  }

  /** Another image for the same VM: its object changes first, its disk after that. */
  async #rebuild(vm: Vm): Promise<void> {
    if (vm.forgotten) return;
    const { api, referee } = this.#parts;
    const image = this.#anyImage();
    const base = cacheFileName(image);
    await this.spawning(base, async () => {
      // The old image is no longer named; its overlay stands for a while.
      const [names, stands] = [vm.needs.filter(({ who }) => who.startsWith('the reference')), vm.needs];
      for (const need of names) referee.release(need);
      await api.annotate(vm.kind, vm.name, { 'basekeeper.io/image-ref': image });
      vm.needs = [];
      for (const need of stands) referee.check(need);
      await this.#spawn(vm, base, true);
      for (const need of stands) referee.release(need);
    });
    this.counts.rebuilt++;
  }

  /** There and back: the node is the target, and then the node, of a live migration. */
  async #migrate(vm: Vm): Promise<void> {
    if (vm.forgotten) return;
    for (const step of ['begin', 'flip', 'end'] as const) {
      await this.#parts.api.migrate(vm.name, step);
      await sleep(this.#parts.random.below(300));
      for (const need of vm.needs) this.#parts.referee.check(need);
    }
    this.counts.migrated++;
  }

  async #resize(vm: Vm): Promise<void> {
    const [here, there] = [this.#path(vm.name), this.#path(`${vm.name}_resize`)];
    renameSync(here, there);
    await sleep(this.#parts.random.below(300));
    renameSync(there, here);
  }

  /** The API forgets it, but its disk goes on: a VM that nobody knows. */
  async #orphan(vm: Vm): Promise<void> {
    if (vm.forgotten) return;
    vm.forgotten = true;
    await this.#parts.api.delete(vm.kind, vm.name);
    this.counts.orphaned++;
  }

  /** Spellings of disks make no links here. */
  get #tree(): SpellingTree {
    const { instancesPath: instances } = this.#parts;
    const noLinks = (): never => {
      throw new Error('this spelling leaves a link behind');
    };
    const [root, base, locks] = [join(instances, '..'), join(instances, '_base'), join(instances, 'locks')];
    return {
      root,
      instances,
      base,
      locks,
      outside: root,
      traps: new Set(),
      directory: (path) => path,
      link: noLinks,
      hardLink: noLinks,
      bindMount: noLinks,
    };
  }

  #anyImage(): string {
    const { random } = this.#parts;
    return random.below(2) === 0 ? `popular-image-${random.below(POPULAR_IMAGES)}` : `rare-image-${random.below(OTHER_IMAGES)}`;
  }

  #path(...names: string[]): string {
    return join(this.#parts.instancesPath, ...names);
  }
}
