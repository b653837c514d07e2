import type { Workload } from '../../src/model/workload.ts';
import { sha1, type Actor, type World } from './world.ts';

const DAY_MS = 86_400_000;

export interface VmPlan {
  readonly instance: string;
  readonly image: string;
  /** Resized copy of the image, as older Nova made them: overlays stand on `<sha1>_<size>`. */
  readonly resizedTo: number | undefined;
  /** Whether the workload names the image: after an unshelve it does not, and only the overlay's header tells. */
  readonly named: boolean;
  /** Whether the workload is deleted before the directory goes, as a pod may be. */
  readonly vanishesFirst: boolean;
  readonly life: readonly ('resize' | 'migrate' | 'age' | 'rest')[];
}

export const baseNameOf = ({ image, resizedTo }: VmPlan): string => (resizedTo === undefined ? sha1(image) : `${sha1(image)}_${resizedTo}`);

function register(world: World, plan: VmPlan): void {
  const workload: Workload = {
    source: 'api',
    name: plan.instance,
    instanceNames: [plan.instance],
    resizing: false,
    images: plan.named ? [{ role: 'image', ref: plan.image }] : [],
    swapMb: [],
    ephemeral: [],
    paths: [],
  };
  world.api.set(plan.instance, { workload, since: world.steps });
}

/** oslo's external lock through fasteners: opens the path once, then waits for that inode, unlinked or not. */
function* locked(world: World, name: string, holder: string, work: () => Actor): Actor {
  const file = world.lockFiles.get(name) ?? { holder: undefined };
  world.lockFiles.set(name, file);
  yield;
  while (file.holder !== undefined) yield;
  file.holder = holder;
  yield;
  yield* work();
  file.holder = undefined;
}

/** `imagebackend.Image.cache` and `Qcow2.create_image`: lock, fetch, release; touch without the lock; lock, create the overlay. */
function* createDisk(world: World, plan: VmPlan, directory: string): Generator<void, boolean, void> {
  const base = baseNameOf(plan);
  yield;
  if (!world.base.has(base)) {
    yield* locked(world, base, `fetch of ${plan.instance}`, function* (): Actor {
      if (world.base.has(base)) return;
      world.putFile(`${base}.part`, 0);
      yield;
      world.base.delete(`${base}.part`);
      world.putFile(base, 0);
    });
  }
  yield;
  const file = world.base.get(base);
  if (file === undefined) return false;
  file.mtimeMs = world.nowMs;
  world.bridges.set(base, (world.bridges.get(base) ?? 0) + 1);
  let created = false;
  yield* locked(world, base, `creation of ${plan.instance}`, function* (): Actor {
    const found = world.base.has(base);
    yield;
    if (!found) return;
    if (!world.base.has(base)) world.violations.push(`${base} vanished under the creation of ${plan.instance}, which holds its lock`);
    world.directories.get(directory)?.disks.set('disk', base);
    created = true;
  });
  world.bridges.set(base, (world.bridges.get(base) ?? 1) - 1);
  return created;
}

/** A VM from its creation to its end. */
export function* vm(world: World, plan: VmPlan): Actor {
  register(world, plan);
  world.note(`${plan.instance} is known`);
  yield;
  world.directories.set(plan.instance, { disks: new Map() });
  // Nova's caller tries again when the base file vanished between its check and its touch: no disk existed yet.
  while (!(yield* createDisk(world, plan, plan.instance))) yield;
  world.note(`${plan.instance} has its disk`);
  const base = baseNameOf(plan);
  world.openInQemu.set(base, (world.openInQemu.get(base) ?? 0) + 1);
  for (const event of plan.life) {
    yield;
    if (event === 'age') yield* ageFile(world, base);
    if (event === 'resize') yield* resize(world, plan);
    if (event === 'migrate') yield* migrate(world, plan);
  }
  yield;
  world.openInQemu.set(base, (world.openInQemu.get(base) ?? 1) - 1);
  if (plan.vanishesFirst) world.api.delete(plan.instance);
  yield;
  world.directories.delete(plan.instance);
  world.note(`${plan.instance} is gone`);
  yield;
  world.api.delete(plan.instance);
}

/**
 * Days of running pass for one file. Not while somebody is between its touch and its overlay: nobody stays there for days, and
 * the fresh mtime is all that protects the file then.
 */
function* ageFile(world: World, base: string): Actor {
  while ((world.bridges.get(base) ?? 0) > 0) yield;
  const file = world.base.get(base);
  if (file !== undefined) file.mtimeMs = world.nowMs - 3 * DAY_MS;
}

/** Cold resize on one host: the directory is renamed, a new one made on the same base file, then the old one goes. */
function* resize(world: World, plan: VmPlan): Actor {
  const directory = world.directories.get(plan.instance);
  if (directory === undefined) return;
  world.directories.delete(plan.instance);
  world.directories.set(`${plan.instance}_resize`, directory);
  world.note(`${plan.instance} is being resized`);
  yield;
  if (world.choose(2) === 0) {
    // Reverted.
    world.directories.delete(`${plan.instance}_resize`);
    world.directories.set(plan.instance, directory);
    return;
  }
  world.directories.set(plan.instance, { disks: new Map() });
  while (!(yield* createDisk(world, plan, plan.instance))) yield;
  yield;
  world.directories.delete(`${plan.instance}_resize`);
}

/** Live migration away and back: the disk goes, the workload leaves this node, and both come again. */
function* migrate(world: World, plan: VmPlan): Actor {
  world.directories.delete(plan.instance);
  yield;
  world.api.delete(plan.instance);
  world.note(`${plan.instance} migrated away`);
  yield;
  yield* ageFile(world, baseNameOf(plan));
  yield;
  register(world, plan);
  yield;
  world.directories.set(plan.instance, { disks: new Map() });
  while (!(yield* createDisk(world, plan, plan.instance))) yield;
}

/** Nova's precaching: no lock, a `.part` file first. */
export function* precache(world: World, image: string): Actor {
  const base = sha1(image);
  yield;
  world.putFile(`${base}.part`, 0);
  yield;
  yield;
  world.base.delete(`${base}.part`);
  if (!world.base.has(base)) world.putFile(base, 0);
}

/** Time passes, a minute at a time: as long as a slow pass may take. */
export function* minutes(world: World, count: number): Actor {
  for (let minute = 0; minute < count; minute++) {
    for (let rest = 0; rest < 10; rest++) yield;
    world.nowMs += 60_000;
  }
}
