import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { formatConfigError, loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';
import { runPass } from '../../src/pass/pass.ts';
import type { PlannedFile } from '../../src/model/plan.ts';
import type { Report } from '../../src/model/report.ts';
import type { Clock } from '../../src/model/ports.ts';
import { createFileSource } from '../../src/sources/file/source.ts';
import { passParts } from '../../src/wire/pass.ts';
import { bytesOf, type ByteName } from './names.ts';
import type { Listing } from './oracle.ts';
import { fates, type Outcome } from './outcome.ts';
import { NOW_MS, type Instance, type Tree } from './tree-spec.ts';

const BASE_KINDS = new Set(['original', 'resized', 'legacy']);
const frozen: Clock = { now: () => ({ wallMs: NOW_MS, monotonicMs: 0 }) };
const RESIZE_STATES = new Set(['resize_prep', 'resize_migrating', 'resize_migrated', 'resize_finish']);

/** The configuration file that a user would write for Nova's behaviour. */
function configOf(tree: Tree, root: string, workloadsFile: string): Config {
  const text = stringify({
    preset: 'nova',
    mode: 'enforce',
    instancesPath: root,
    removeUnusedBaseImages: tree.removeUnused,
    removeUnusedOriginalMinimumAgeSeconds: tree.originalMinimumAgeSeconds,
    removeUnusedResizedMinimumAgeSeconds: tree.resizedMinimumAgeSeconds,
    sources: { pods: { enabled: false }, virtualMachineInstances: { enabled: false }, file: { path: workloadsFile } },
    annotations: false,
    events: false,
    // Nova has none.
    ledger: { enabled: false },
  });
  const { config, errors } = loadConfig({ text });
  if (config === undefined) throw new Error(`the configuration is refused: ${errors.map((error) => formatConfigError(error)).join('; ')}`);
  return config;
}

function workloadOf(instance: Instance): object {
  return {
    name: instance.name,
    uuid: instance.uuid,
    ...(instance.imageRef === null ? {} : { imageRef: instance.imageRef }),
    ...(instance.kernelId === null ? {} : { kernelId: instance.kernelId }),
    ...(instance.ramdiskId === null ? {} : { ramdiskId: instance.ramdiskId }),
    resizing: instance.vmState === 'resized' || RESIZE_STATES.has(instance.taskState ?? ''),
    swapMb: instance.swapMb,
    ephemeral: instance.ephemeral.map(({ sizeGb, filesystem }) => (filesystem === null ? { sizeGb } : { sizeGb, filesystem })),
  };
}

/** One pass of Basekeeper with `preset: nova`; the outcome is read off once the tree has been described again. */
export async function runBasekeeper(tree: Tree, root: string): Promise<(before: Listing, after: Listing) => Outcome> {
  const workloadsFile = `${root}-workloads.yaml`;
  writeFileSync(workloadsFile, stringify({ workloads: tree.instances.map(workloadOf) }));
  const source = createFileSource({ path: workloadsFile, clock: frozen });
  const report = await runPass(passParts(configOf(tree, root, workloadsFile), [source], frozen), { dryRun: false });
  if (report.result === 'Failed') throw new Error(`the pass failed: ${report.message}`);
  return (before, after) => ({ ...fates(before, after), ...saidBy(report) });
}

function saidBy(report: Report): Omit<Outcome, 'base' | 'locks' | 'elsewhere'> {
  const images = [...report.files].filter(({ kind }) => BASE_KINDS.has(kind));
  const files = (type: string): ByteName[] =>
    sorted(report.findings.flatMap((finding) => (finding.type === type ? [finding.file ?? ''] : [])));
  return {
    // Nova counts what overlays stand on as active, whatever its name.
    active: sorted([...report.files].filter((file) => isActive(file)).map(({ name }) => name)),
    unknown: sorted(images.filter(({ usedBy }) => usedBy.length === 0).map(({ name }) => name)),
    unexplainedBacking: files('BackingFileUnknown'),
    missing: files('BaseFileMissing'),
    diskUsageBytes: report.cacheUsageBytes,
  };
}

function isActive({ kind, usedBy }: PlannedFile): boolean {
  return BASE_KINDS.has(kind) ? usedBy.length > 0 : usedBy.some(({ through }) => through === 'overlay');
}

const sorted = (names: readonly string[]): ByteName[] => [...new Set(names.map(bytesOf))].toSorted();
