/** Trees to measure on: base files of all kinds, real qcow2 overlays, and the workloads that explain some of them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  futimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface TreeSize {
  readonly files: number;
  readonly vms: number;
  /** Default: one for each VM. */
  readonly overlays?: number;
  /** So many of the last base files are too young to go. Default: none. */
  readonly young?: number;
  /** Whether each base file has its lock file, as Nova leaves them when it fetches. Default false. */
  readonly locks?: boolean;
}

export interface BenchTree {
  readonly instancesPath: string;
  readonly basePath: string;
  readonly workloadsPath: string;
  /** As the oracle of Nova wants them. */
  readonly novaInstances: readonly object[];
  readonly overlayPaths: readonly string[];
  remove(): void;
}

const DAY_SECONDS = 86_400;
const PAGE = 4096;

/** Of ten base files, six are originals, two resized, one is for swap or ephemeral disks, and one is foreign. */
function baseName(index: number): string {
  const digest = digestOf(imageOf(index));
  switch (index % 10) {
    case 6:
    case 7:
      return `${digest}_${20 + (index % 40)}`;
    case 8:
      return index % 20 === 8 ? `swap_${index}` : `ephemeral_${index}_${digest.slice(0, 7)}`;
    case 9:
      return `notes-${index}.txt`;
    default:
      return digest;
  }
}

const imageOf = (index: number): string => `image-${index}`;
const digestOf = (image: string): string => createHash('sha1').update(image).digest('hex');
/** VM n uses the n-th original, so that every overlay is explained; where there are fewer, the first ones serve again. */
const originalOf = (vm: number, files: number): number => {
  const original = vm % Math.max(1, Math.floor(files / 10) * 6);
  return Math.floor(original / 6) * 10 + (original % 6);
};

export function buildTree(root: string, size: TreeSize): BenchTree {
  const overlays = size.overlays ?? size.vms;
  const instancesPath = join(root, `instances-${size.files}-${size.vms}-${overlays}`);
  const basePath = join(instancesPath, '_base');
  mkdirSync(basePath, { recursive: true });
  mkdirSync(join(instancesPath, 'locks'));
  const nowSeconds = Date.now() / 1000;
  for (let index = 0; index < size.files; index += 1) {
    const fd = openSync(join(basePath, baseName(index)), 'w', 0o644);
    const modified = index < size.files - (size.young ?? 0) ? nowSeconds - 3 * DAY_SECONDS : nowSeconds;
    futimesSync(fd, modified, modified);
    closeSync(fd);
    if (size.locks === true) writeFileSync(join(instancesPath, 'locks', `nova-${baseName(index)}`), '');
  }
  const overlayPaths = writeOverlays(instancesPath, overlays, size.files);
  const workloadsPath = join(root, `workloads-${size.files}-${size.vms}-${overlays}.json`);
  const vms = Array.from({ length: size.vms }, (_, vm) => ({
    name: instanceName(vm),
    uuid: uuidOf(vm),
    imageRef: imageOf(originalOf(vm, size.files)),
  }));
  // JSON is YAML.
  writeFileSync(workloadsPath, JSON.stringify({ workloads: vms }));
  return {
    instancesPath,
    basePath,
    workloadsPath,
    overlayPaths,
    novaInstances: vms,
    remove: () => rmSync(instancesPath, { recursive: true, force: true }),
  };
}

const instanceName = (vm: number): string => `instance-${vm.toString(16).padStart(8, '0')}`;
const uuidOf = (vm: number): string => `5f0e2c9a-0000-4000-8000-${vm.toString(16).padStart(12, '0')}`;

/**
 * Real overlays: qemu-img writes one, and the others are that file with the digest of its backing file exchanged, which has the same
 * length; qemu-img itself would take minutes for ten thousand.
 */
function writeOverlays(instancesPath: string, count: number, files: number): string[] {
  if (count === 0) return [];
  const template = join(instancesPath, 'template.qcow2');
  const placeholder = digestOf(imageOf(0));
  const backing = join(instancesPath, '_base', placeholder);
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-u', '-b', backing, template, '1G']);
  const bytes = readFileSync(template);
  const at = bytes.indexOf(placeholder);
  rmSync(template);
  const modified = Date.now() / 1000 - DAY_SECONDS;
  return Array.from({ length: count }, (_, vm) => {
    const directory = join(instancesPath, vm % 2 === 0 ? uuidOf(vm) : instanceName(vm));
    mkdirSync(directory);
    bytes.write(digestOf(imageOf(originalOf(vm, files))), at, 'latin1');
    const path = join(directory, 'disk');
    writeSparse(path, bytes);
    utimesSync(path, modified, modified);
    return path;
  });
}

function writeSparse(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'w', 0o644);
  for (let offset = 0; offset < bytes.length; offset += PAGE) {
    const page = bytes.subarray(offset, offset + PAGE);
    if (page.some((byte) => byte !== 0)) writeSync(fd, page, 0, page.length, offset);
  }
  ftruncateSync(fd, bytes.length);
  closeSync(fd);
}
