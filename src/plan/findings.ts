import type { Overlay } from '../model/overlay.ts';
import type { Finding } from '../model/plan.ts';
import type { FindingType } from '../model/reasons.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { ObjectReference, Workload } from '../model/workload.ts';
import { digestOfName } from './usages.ts';

/** What people should look at, whatever becomes of the files. */
export function collectFindings(snapshot: Snapshot): Finding[] {
  return [...overlayFindings(snapshot), ...missingBaseFiles(snapshot), ...gapFindings(snapshot), ...scanFindings(snapshot)];
}

const OVERLAY_FINDINGS: Readonly<Partial<Record<Overlay['state'], FindingType>>> = {
  'missing-backing': 'BackingFileMissing',
  'unknown-backing': 'BackingFileOutside',
  unreadable: 'OverlayUnreadable',
};

function overlayFindings(snapshot: Snapshot): Finding[] {
  const objects = objectsByInstance(snapshot.inventory.workloads);
  return snapshot.overlays.overlays.flatMap((overlay) => {
    const object = objects.get(overlay.instance);
    const about = { workload: overlay.instance, ...(object === undefined ? {} : { object }) };
    const type = OVERLAY_FINDINGS[overlay.state];
    const own =
      type === undefined
        ? []
        : [{ type, ...about, ...missingFile(overlay), message: `${overlay.path}: ${overlay.message ?? overlay.state}` }];
    return [...own, ...unexplainedBackingFiles(overlay, snapshot).map((finding) => ({ ...finding, ...about }))];
  });
}

function missingFile(overlay: Overlay): { file?: string } {
  const missing = overlay.chain.find(({ exists }) => !exists);
  return missing === undefined ? {} : { file: missing.baseName ?? missing.reference };
}

/** Nova: "Instance … is using a backing file … which does not appear in the image service". */
function unexplainedBackingFiles(overlay: Overlay, { references }: Snapshot): Finding[] {
  return overlay.chain.flatMap(({ baseName, exists }) => {
    const digest = baseName === undefined ? undefined : digestOfName(baseName);
    if (baseName === undefined || !exists || digest === undefined) return [];
    if (references.byDigest.has(digest) || references.byName.has(baseName)) return [];
    const message = `${overlay.path} stands on ${baseName}, which no workload's image explains`;
    return [{ type: 'BackingFileUnknown', file: baseName, message } as const];
  });
}

/** Nova: "… image was used by instance but no back files existing!", for swap and ephemeral files. */
function missingBaseFiles(snapshot: Snapshot): Finding[] {
  if (!snapshot.scan.exists || snapshot.references.byName.size === 0) return [];
  const missing = new Map([...snapshot.references.byName].filter(([name]) => /^(?:swap|ephemeral)_/u.test(name)));
  for (const { name } of snapshot.scan.files) missing.delete(name);
  return [...missing].map(([file, usages]) => ({
    type: 'BaseFileMissing',
    file,
    ...(usages[0] === undefined ? {} : { workload: usages[0].by }),
    message: `${file} is used by ${usages.map(({ by }) => by).join(', ')}, but does not exist`,
  }));
}

function gapFindings(snapshot: Snapshot): Finding[] {
  return snapshot.inventory.gaps.map(({ kind, object, message, source }) => ({
    type: kind,
    workload: object === undefined ? source : `${object.namespace ?? ''}/${object.name}`,
    ...(object === undefined ? {} : { object }),
    message,
  }));
}

function scanFindings(snapshot: Snapshot): Finding[] {
  return snapshot.scan.problems.map(({ path, code, message }) => ({
    type: 'ScanProblem',
    file: path,
    message: `${path}: ${code}: ${message}`,
  }));
}

function objectsByInstance(workloads: readonly Workload[]): ReadonlyMap<string, ObjectReference> {
  const objects = new Map<string, ObjectReference>();
  for (const { instanceNames, object } of workloads) {
    if (object === undefined) continue;
    for (const name of instanceNames) {
      objects.set(name, object);
      objects.set(`${name}_resize`, object);
    }
  }
  return objects;
}
