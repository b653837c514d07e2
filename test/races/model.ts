import * as fc from 'fast-check';
import { runPass } from '../../src/pass/pass.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Report } from '../../src/model/report.ts';
import { minutes, precache, vm, type VmPlan } from './actors.ts';
import { keeper, sha1, World } from './world.ts';

const DAY_MS = 86_400_000;
const IMAGES = ['image-a', 'image-b', 'image-c'] as const;

export interface RaceCase {
  readonly vms: readonly VmPlan[];
  readonly precached: readonly string[];
  readonly aged: readonly string[];
  readonly choices: readonly number[];
  readonly minutes: number;
  readonly lagSteps: number;
  readonly passes: number;
  readonly batchSize: number;
  readonly removeLockFiles: boolean;
  readonly liveUseCheck: boolean;
  /** Undefined: removed files are unlinked, not moved to the trash. */
  readonly graceSeconds: number | undefined;
  /** Already in the trash at the beginning. */
  readonly trashed: readonly string[];
}

const vmPlan = (instance: string): fc.Arbitrary<VmPlan> =>
  fc.record({
    instance: fc.constant(instance),
    image: fc.constantFrom(...IMAGES),
    resizedTo: fc.constantFrom(undefined, 10_737_418_240),
    named: fc.boolean(),
    vanishesFirst: fc.boolean(),
    life: fc.array(fc.constantFrom('resize' as const, 'migrate' as const, 'age' as const, 'rest' as const), { maxLength: 4 }),
  });

export const anyRace: fc.Arbitrary<RaceCase> = fc.record({
  vms: fc.tuple(...['vm-1', 'vm-2', 'vm-3'].map((name) => vmPlan(name))).chain((plans) => fc.subarray(plans, { minLength: 1 })),
  precached: fc.subarray([...IMAGES]),
  aged: fc.subarray([...IMAGES.map(sha1), `${sha1('image-a')}_10737418240`]),
  choices: fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 600, size: 'max' }),
  minutes: fc.nat({ max: 5 }),
  lagSteps: fc.constantFrom(0, 0, 5, 30),
  passes: fc.constantFrom(1, 2, 3),
  batchSize: fc.constantFrom(256, 2, 1),
  removeLockFiles: fc.boolean(),
  liveUseCheck: fc.boolean(),
  graceSeconds: fc.constantFrom(undefined, 0, 60),
  trashed: fc.subarray(IMAGES.map(sha1)),
});

const POLICY: Policy = {
  preset: 'safe',
  naming: 'strict',
  overlays: 'all',
  removeUnusedBaseImages: true,
  originalMinimumAgeSeconds: 86_400,
  resizedMinimumAgeSeconds: 3600,
  minimumAgeFloorSeconds: 600,
  maxRemovalsPerPass: 0,
  forceRawImages: false,
  ignore: [],
  touchBackingFiles: true,
  removeLockFiles: false,
  allowEmptyInventory: true,
  liveUseCheck: true,
  lockTimeoutSeconds: 10,
  pins: { imageRefs: [], fileNames: [] },
  trash: { enabled: false, graceSeconds: 259_200 },
};

export interface RaceResult {
  readonly world: World;
  readonly reports: readonly Report[];
}

/** Two Basekeepers, each for some passes, among the writers of the case; ends when everybody has. */
export async function playRace(race: RaceCase, scheduler: fc.Scheduler): Promise<RaceResult> {
  const world = new World(race.choices);
  for (const name of race.aged) world.putFile(name, 3 * DAY_MS);
  for (const name of race.trashed) world.putTrashed(name, 30_000);
  world.add(
    ...race.vms.map((plan) => vm(world, plan)),
    ...race.precached.map((image) => precache(world, image)),
    minutes(world, race.minutes),
  );
  const { removeLockFiles, liveUseCheck, graceSeconds, batchSize, lagSteps } = race;
  const trash = { enabled: graceSeconds !== undefined, graceSeconds: graceSeconds ?? 0 };
  const policy = { ...POLICY, removeLockFiles, liveUseCheck, trash };
  const reports: Report[] = [];
  const turn = async (): Promise<void> => await scheduler.schedule(Promise.resolve());
  const keepers = ['keeper-1', 'keeper-2'].map((name) => keeper(world, { name, policy, batchSize, lagSteps, turn }));
  const runs = keepers.map(async (parts) => {
    for (let pass = 0; pass < race.passes; pass++) reports.push(await runPass(parts, { dryRun: false }));
  });
  await scheduler.waitFor(Promise.all(runs));
  for (let step = 0; world.busy && step < 10_000; step++) world.stepOthers();
  return { world, reports };
}

/** What must hold at the end: no removal hit anything in use, and no disk has lost its base file. */
export function verdictOn({ world, reports }: RaceResult): string[] {
  const failed = reports.filter(({ result }) => result === 'Failed').map(({ message }) => `a pass failed: ${message}`);
  return [...world.violations, ...failed];
}

export interface RacesResult {
  readonly runs: number;
  readonly steps: number;
  readonly passes: number;
  readonly removals: number;
  /** From the trash, and back from it. */
  readonly emptied: number;
  readonly restored: number;
  /** The smallest interleaving found that breaks the property, with what happened in it. */
  readonly failure: string | undefined;
}

/** Many interleavings; the first that breaks the property is reduced. */
export async function playRaces(options: { readonly runs: number; readonly seed: number }): Promise<RacesResult> {
  const counts = { runs: 0, steps: 0, passes: 0, removals: 0, emptied: 0, restored: 0 };
  const property = fc.asyncProperty(anyRace, fc.scheduler(), async (race, scheduler) => {
    const result = await playRace(race, scheduler);
    counts.runs++;
    counts.steps += result.world.steps;
    counts.passes += result.reports.length;
    counts.removals += result.world.removals.length;
    counts.emptied += result.world.emptied;
    counts.restored += result.world.restored;
    const broken = verdictOn(result);
    if (broken.length > 0) throw new Error([...broken, ...result.world.log].join('\n'));
  });
  const details = await fc.check(property, { numRuns: options.runs, seed: options.seed });
  return { ...counts, failure: details.failed ? fc.defaultReportMessage(details) : undefined };
}
