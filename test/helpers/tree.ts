import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { qcow2Image, type Qcow2Spec } from './qcow2-image.ts';

interface Common {
  /** mtime, seconds before now. Default 0. */
  readonly ageSeconds?: number;
  /** Permission bits. Default: what the umask leaves. */
  readonly mode?: number;
}

/** What stands at a path. Parent directories come by themselves. */
export type TreeEntry =
  | (Common & { readonly content?: string | Buffer; /** Grown to this size, sparse. */ readonly sizeBytes?: number })
  | (Common & { readonly qcow2: Qcow2Spec })
  | (Common & { readonly directory: true })
  | (Common & { readonly symlink: string })
  | (Common & { readonly hardLink: string })
  | (Common & { readonly fifo: true });

/**
 * Path relative to the instances path → entry, for example
 * `{'_base/0d5e…': {ageSeconds: 90_000}, 'instance-00000001/disk': {qcow2: {backingFile: '{instances}/_base/0d5e…'}}}`.
 * `{instances}` stands for the absolute instances path in backing file names, data file names and symbolic links.
 */
export type TreeSpec = Readonly<Record<string, TreeEntry>>;

export interface Tree extends Disposable {
  /** Absolute, without symbolic links. */
  readonly instancesPath: string;
  readonly basePath: string;
  readonly path: (relative: string) => string;
  /** Adds or replaces entries. */
  readonly add: (spec: TreeSpec) => void;
  readonly remove: (relative: string) => void;
  readonly cleanup: () => void;
}

export const DAY = 86_400;
export const HOUR = 3_600;

/** Builds a real instances tree in a temporary directory. `using tree = buildTree({…})`, or call `cleanup`. */
export function buildTree(spec: TreeSpec = {}): Tree {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'basekeeper-')));
  // Others must be able to enter: some tests drop privileges.
  chmodSync(root, 0o755);
  const instancesPath = join(root, 'instances');
  mkdirSync(join(instancesPath, '_base'), { recursive: true });
  const cleanup = (): void => rmSync(root, { recursive: true, force: true });
  const tree: Tree = {
    instancesPath,
    basePath: join(instancesPath, '_base'),
    path: (relative) => join(instancesPath, relative),
    add: (more) => {
      for (const [relative, entry] of Object.entries(more)) addEntry(instancesPath, join(instancesPath, relative), entry);
      // Last, because a later entry changes the mtime of its directory.
      for (const [relative, entry] of Object.entries(more)) finishEntry(join(instancesPath, relative), entry);
    },
    remove: (relative) => rmSync(join(instancesPath, relative), { recursive: true, force: true }),
    cleanup,
    [Symbol.dispose]: cleanup,
  };
  tree.add(spec);
  return tree;
}

/** The qcow2 spec with `{instances}` replaced. */
export function expandQcow2(spec: Qcow2Spec, instancesPath: string): Qcow2Spec {
  const { backingFile, dataFile } = spec;
  return {
    ...spec,
    ...(typeof backingFile === 'string' && { backingFile: expand(backingFile, instancesPath) }),
    ...(dataFile !== undefined && { dataFile: expand(dataFile, instancesPath) }),
  };
}

function expand(text: string, instancesPath: string): string {
  return text.replaceAll('{instances}', instancesPath);
}

function addEntry(instancesPath: string, path: string, entry: TreeEntry): void {
  if ('directory' in entry) {
    mkdirSync(path, { recursive: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  if ('qcow2' in entry) writeFileSync(path, qcow2Image(expandQcow2(entry.qcow2, instancesPath)));
  else if ('symlink' in entry) symlinkSync(expand(entry.symlink, instancesPath), path);
  else if ('hardLink' in entry) linkSync(join(instancesPath, entry.hardLink), path);
  else if ('fifo' in entry) execFileSync('mkfifo', [path]);
  else {
    writeFileSync(path, entry.content ?? '');
    if (entry.sizeBytes !== undefined) truncateSync(path, entry.sizeBytes);
  }
}

function finishEntry(path: string, entry: TreeEntry): void {
  if (entry.ageSeconds !== undefined) {
    const seconds = Date.now() / 1000 - entry.ageSeconds;
    lutimesSync(path, seconds, seconds);
  }
  if (entry.mode !== undefined) chmodSync(path, entry.mode);
}
