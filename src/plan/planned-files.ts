import type { BaseFile } from '../model/scan.ts';
import { isForSpace } from '../model/reasons.ts';
import type { PlannedFile } from '../model/plan.ts';
import type { Usage } from '../model/references.ts';
import { mapRows } from '../lib/rows.ts';
import type { Rows } from '../model/rows.ts';
import { timestamp } from '../lib/timestamp.ts';
import type { Facts } from './facts.ts';
import { ageMs, minimumAgeSeconds } from './minimum-age.ts';
import { RULES } from './rules.ts';
import { usagesByBaseFile, usagesByOverlay, usagesByWorkload } from './usages.ts';
import { digestOf } from '../model/names.ts';
import { DECIDED_REASONS } from './verdicts.ts';

/** The plan's rows, made from the scan's row and the verdict's byte when somebody looks. */
export function plannedFiles(facts: Facts, files: Rows<BaseFile>, verdicts: Uint8Array): Rows<PlannedFile> {
  return mapRows(files, (file, index) => plannedFile(facts, file, verdicts[index] ?? 0));
}

function plannedFile(facts: Facts, file: BaseFile, decided: number): PlannedFile {
  const { policy } = facts;
  const reason = DECIDED_REASONS[decided] ?? 'GateClosed';
  const minimum = isForSpace(reason) ? policy.minimumAgeFloorSeconds : minimumAgeSeconds(file.kind, policy);
  return {
    name: file.name,
    kind: file.kind,
    sizeBytes: file.sizeBytes,
    allocatedBytes: file.allocatedBytes,
    modifiedAt: timestamp(file.modifiedAtMs),
    ageSeconds: Math.floor(ageMs(file, facts) / 1000),
    minimumAgeSeconds: minimum,
    verdict: isForSpace(reason) ? 'remove' : (RULES[decided]?.verdict(facts, file) ?? 'keep'),
    reason,
    usedBy: usedBy(facts, file),
    identity: { device: String(file.device), inode: String(file.inode), modifiedAtNs: String(file.modifiedAtNs) },
  };
}

function usedBy(facts: Facts, file: BaseFile): readonly Usage[] {
  const images = joined(usagesByOverlay(facts, file), usagesByBaseFile(facts, file));
  if (file.kind === 'foreign') return images;
  const workloads = usagesByWorkload(facts, file);
  const pins = facts.pinsOf(file.name, digestOf(file));
  return images.length === 0 && pins.length === 0 ? workloads : [...workloads, ...images, ...pins];
}

/** Most files have no usages, and most others of one kind. */
function joined(some: readonly Usage[], more: readonly Usage[]): readonly Usage[] {
  if (more.length === 0) return some;
  return some.length === 0 ? more : [...some, ...more];
}
