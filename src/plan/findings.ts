import type { BaseFileKind } from '../model/scan.ts';
import type { Overlay } from '../model/overlay.ts';
import type { Finding } from '../model/plan.ts';
import type { FindingType } from '../model/reasons.ts';
import type { References } from '../model/references.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { forEachRow, type Sliced } from '../lib/slices.ts';
import type { ObjectReference, Workload } from '../model/workload.ts';
import { unusedFromTheFuture } from './future-files.ts';
import { pinFindings } from './pins.ts';
import { referenceFindings } from './references.ts';
import { digestOfName } from '../model/names.ts';

/** What people should look at, whatever becomes of the files. */
export function* collectFindings(snapshot: Snapshot): Sliced<Finding[]> {
  const unexplained = yield* unexplainedBackingNames(snapshot);
  const missing = yield* missingBaseFiles(snapshot);
  const future = yield* unusedFromTheFuture(snapshot);
  return [
    ...overlayFindings(snapshot, unexplained),
    ...unseenFindings(snapshot),
    ...baseImageFindings(snapshot),
    ...missing,
    ...future,
    ...gapFindings(snapshot),
    ...(snapshot.inventory.notes ?? []).map((message) => ({ type: 'SourceLimited' as const, message })),
    ...referenceFindings(snapshot),
    ...pinFindings(snapshot),
    ...scanFindings(snapshot),
    ...mismatchFindings(snapshot),
  ];
}

const OVERLAY_FINDINGS: Readonly<Partial<Record<Overlay['state'], FindingType>>> = {
  'missing-backing': 'BackingFileMissing',
  'unknown-backing': 'BackingFileOutside',
  unreadable: 'OverlayUnreadable',
};

function overlayFindings(snapshot: Snapshot, unexplained: ReadonlySet<string>): Finding[] {
  const objects = objectsByInstance(snapshot.inventory.workloads);
  return snapshot.overlays.overlays.flatMap((overlay) => {
    const object = objects.get(overlay.instance);
    const about = { workload: overlay.instance, ...(object === undefined ? {} : { object }) };
    const type = findingOf(overlay);
    const own = type === undefined ? [] : [{ type, ...about, ...missingFile(overlay), message: messageOf(overlay) }];
    return [...own, ...unexplainedBackingFiles(overlay, unexplained).map((finding) => ({ ...finding, ...about }))];
  });
}

/** What a guest can write into its disk is nothing to wake anybody for. */
function findingOf({ state, declaredRawBy, isUnstated }: Overlay): FindingType | undefined {
  const isGuests = declaredRawBy !== undefined || (isUnstated === true && state === 'missing-backing');
  const type = OVERLAY_FINDINGS[state];
  return type !== undefined && isGuests ? 'GuestBytes' : type;
}

function messageOf({ path, state, message, declaredRawBy, isUnstated }: Overlay): string {
  const what = `${path}: ${message ?? state}`;
  if (declaredRawBy !== undefined) return `${what} (${declaredRawBy} says raw, so these bytes are the guest's own and hold nothing)`;
  return isUnstated === true
    ? `${what} (neither disk.info nor a source says that this is an image: if it is one, its VM cannot start; else its guest wrote this)`
    : what;
}

/** What is not a disk of an instance: those have their own findings. */
function unseenFindings({ overlays }: Snapshot): Finding[] {
  const disks = new Set(overlays.overlays.map(({ path }) => path));
  return overlays.unseen
    .filter(({ path }) => !disks.has(path))
    .map(({ path, message }) => ({ type: 'Unseen', file: path, message: `${path}: ${message}` }));
}

function baseImageFindings({ overlays }: Snapshot): Finding[] {
  return overlays.baseImages.flatMap(({ name, inTrash, state, message }) => {
    const type = inTrash || state === 'unreadable' ? undefined : OVERLAY_FINDINGS[state];
    return type === undefined ? [] : [{ type, file: name, message: `${name}: ${message ?? state}` }];
  });
}

function missingFile(overlay: Overlay): { file?: string } {
  const missing = overlay.chain.find(({ exists }) => !exists);
  return missing === undefined ? {} : { file: missing.baseName ?? missing.reference };
}

/** Original, resized and legacy files that overlays are backed by and that no workload's image explains. One look at the files, and only if there may be any. */
function* unexplainedBackingNames({ overlays, references, scan }: Snapshot): Sliced<ReadonlySet<string>> {
  const names = new Set(overlays.overlays.flatMap(({ chain }) => chain.flatMap(({ baseName }) => baseName ?? [])));
  for (const name of names) if (isExplained(name, references)) names.delete(name);
  if (names.size === 0) return names;
  const found = new Set<string>();
  yield* forEachRow(scan.files, (file) => {
    if (IMAGE_KINDS.has(file.kind) && names.has(file.name)) found.add(file.name);
  });
  return found;
}

const IMAGE_KINDS: ReadonlySet<BaseFileKind> = new Set(['original', 'resized', 'legacy']);

function isExplained(name: string, { byDigest, byName }: References): boolean {
  const digest = digestOfName(name);
  return byName.has(name) || (digest !== undefined && byDigest.has(digest));
}

/** Nova: "Instance … is using a backing file … which does not appear in the image service". */
function unexplainedBackingFiles(overlay: Overlay, unexplained: ReadonlySet<string>): Finding[] {
  return overlay.chain.flatMap(({ baseName, exists }) => {
    if (baseName === undefined || !exists || !unexplained.has(baseName)) return [];
    const message = `${overlay.path} is backed by ${baseName}, which no workload's image explains`;
    return [{ type: 'BackingFileUnknown', file: baseName, message } as const];
  });
}

/** Nova: "… image was used by instance but no back files existing!", for swap and ephemeral files. */
function* missingBaseFiles(snapshot: Snapshot): Sliced<Finding[]> {
  if (!snapshot.scan.exists || snapshot.references.byName.size === 0) return [];
  const missing = new Map([...snapshot.references.byName].filter(([name]) => /^(?:swap|ephemeral)_/u.test(name)));
  yield* forEachRow(snapshot.scan.files, (file) => {
    missing.delete(file.name);
    return missing.size > 0;
  });
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
  return [...snapshot.scan.problems, ...(snapshot.scan.trash?.problems ?? [])].map(({ path, code, message }) => ({
    type: 'ScanProblem',
    file: path,
    message: `${path}: ${code}: ${message}`,
  }));
}

/** Never a reason to remove: disks may be backed by the file anyway. */
function mismatchFindings({ verification }: Snapshot): Finding[] {
  if (verification === undefined) return [];
  const { mismatches, mismatchedFiles } = verification;
  const findings = mismatches.map(({ file, message }): Finding => ({ type: 'BaseFileMismatch', file, message: `${file}: ${message}` }));
  const unlisted = mismatchedFiles - mismatches.length;
  return unlisted > 0
    ? [...findings, { type: 'BaseFileMismatch', message: `${unlisted} more base files are not what they should be` }]
    : findings;
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
