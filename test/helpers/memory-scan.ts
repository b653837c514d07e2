import { posix } from 'node:path';
import type { BaseFile, BaseFileKind, BaseScan, ScanProblem } from '../../src/model/scan.ts';
import type { BaseImage, Overlay, OverlayScan, Unseen } from '../../src/model/overlay.ts';
import type { BaseScanner, OverlayScanner } from '../../src/model/ports.ts';

import { baseRows } from './base-rows.ts';
import { followChain, type ChainContext } from '../../src/overlays/chain.ts';
import type { ImageHeader } from '../../src/images/header.ts';
import { classify, partialDownloadDigest } from '../../src/scan/classify.ts';
import { HEAD_BYTES } from '../../src/images/formats/format.ts';
import { parseImageHeader } from '../../src/images/formats/formats.ts';
import { qcow2Header } from './qcow2-image.ts';
import { expandQcow2, type TreeEntry, type TreeSpec } from './tree.ts';

export interface MemoryTreeOptions {
  /** Default `/instances`. */
  readonly instancesPath?: string;
  /** Default 1_700_000_000_000 (ms). */
  readonly nowMs?: number;
  readonly naming?: 'strict' | 'nova';
}

/**
 * An instances tree that exists in memory only, from the same literal as `buildTree`. `add` and `remove` change it between scans;
 * `problems` are reported by the next scans.
 */
export class MemoryTree {
  readonly instancesPath: string;
  readonly basePath: string;
  readonly problems: ScanProblem[] = [];
  readonly #entries = new Map<string, TreeEntry>();
  readonly #inodes = new Map<string, bigint>();
  readonly #nowMs: number;
  readonly #naming: 'strict' | 'nova';
  #nextInode = 1n;
  #headersSeen = new Set<bigint>();

  constructor(spec: TreeSpec = {}, options: MemoryTreeOptions = {}) {
    this.instancesPath = options.instancesPath ?? '/instances';
    this.basePath = `${this.instancesPath}/_base`;
    this.#nowMs = options.nowMs ?? 1_700_000_000_000;
    this.#naming = options.naming ?? 'strict';
    this.add({ _base: { directory: true }, ...spec });
  }

  add(spec: TreeSpec): void {
    for (const [path, entry] of Object.entries(spec)) {
      this.#entries.set(path, entry);
      this.#inodes.set(path, this.#nextInode);
      this.#nextInode += 1n;
    }
  }

  remove(path: string): void {
    for (const known of this.#entries.keys()) if (known === path || known.startsWith(`${path}/`)) this.#entries.delete(known);
  }

  baseScanner(): BaseScanner {
    return {
      scan: async ({ signal } = {}) => {
        signal?.throwIfAborted();
        return this.#scanBase();
      },
    };
  }

  overlayScanner(): OverlayScanner {
    return {
      scan: async ({ signal }) => {
        signal?.throwIfAborted();
        return this.#scanOverlays();
      },
    };
  }

  #scanBase(): BaseScan {
    const exists = this.#entries.has('_base') || this.#children('_base').length > 0;
    const files: BaseFile[] = [];
    const partialDownloads = new Map<string, number>();
    let irregularEntries = 0;
    for (const [name, entry] of this.#children('_base')) {
      if (!isFile(entry)) {
        irregularEntries += 1;
        continue;
      }
      const file = this.#baseFile(name, classify(name, this.#naming), entry);
      files.push(file);
      const digest = partialDownloadDigest(name);
      if (digest !== undefined) partialDownloads.set(digest, Math.max(partialDownloads.get(digest) ?? -Infinity, file.modifiedAtMs));
    }
    return {
      basePath: this.basePath,
      exists,
      files: baseRows(files),
      irregularEntries,
      partialDownloads,
      problems: [...this.problems],
      filesystem: exists ? { sizeBytes: 2 ** 40, availableBytes: 2 ** 39 } : undefined,
      newestModifiedAtMs: files.reduce((newest, file) => Math.max(newest, file.modifiedAtMs), -Infinity),
      cacheUsageBytes: files.reduce((sum, file) => sum + file.allocatedBytes, 0),
    };
  }

  #baseFile(name: string, kind: BaseFileKind, entry: TreeEntry): BaseFile {
    const modifiedAtMs = this.#nowMs - (entry.ageSeconds ?? 0) * 1000;
    const sizeBytes = sizeOf(entry);
    return {
      name,
      kind,
      sizeBytes,
      allocatedBytes: Math.ceil(sizeBytes / 4096) * 4096,
      modifiedAtMs,
      modifiedAtNs: BigInt(Math.round(modifiedAtMs)) * 1_000_000n,
      device: 1n,
      inode: this.#inodes.get(`_base/${name}`) ?? 0n,
    };
  }

  #scanOverlays(): OverlayScan {
    const overlays: Overlay[] = [];
    const baseImages: BaseImage[] = [];
    const unseen: Unseen[] = this.problems.map(({ path, message }) => ({ path, cause: 'NotEntered', message }));
    let headersRead = 0;
    let headersCached = 0;
    const inspected = new Map<string, ImageHeader>();
    const header = (path: string, entry: TreeEntry): ImageHeader => {
      const inode = this.#inodes.get(path) ?? 0n;
      if (this.#headersSeen.has(inode)) headersCached += 1;
      else headersRead += 1;
      this.#headersSeen.add(inode);
      return this.#header(entry);
    };
    const chains = this.#chainContext((path, entry) => {
      const found = inspected.get(path) ?? header(path, entry);
      inspected.set(path, found);
      return found;
    });
    for (const [path, entry] of this.#entries) {
      const [instance = '', ...deeper] = path.split('/');
      const name = deeper.at(-1) ?? instance;
      if (['locks', 'lost+found'].includes(instance) || name === 'disk.info') continue;
      if ('symlink' in entry && posix.isAbsolute(entry.symlink))
        unseen.push({ path, cause: 'NotFollowed', message: 'it is a symbolic link that leads out of the instances path' });
      if (!isFile(entry)) continue;
      const found = header(path, entry);
      const { state, links, message } = followChain(path, found, chains);
      if (instance === '_base') {
        if (state !== 'flat') baseImages.push({ name, inTrash: false, state, chain: links, message });
      } else if (found.kind !== 'raw' || name.startsWith('disk')) {
        overlays.push({ instance, path, state, chain: links, message });
      }
      if (state === 'unreadable') unseen.push({ path, cause: 'NotUnderstood', message: message ?? state });
    }
    return { overlays, baseImages, unseen, ignored: [], headersRead, headersCached };
  }

  #chainContext(header: (path: string, entry: TreeEntry) => ImageHeader): ChainContext {
    const hostPath = (path: string): string => posix.join(this.instancesPath, path);
    return {
      subdirectoryName: '_base',
      directoryOf: (path) => posix.dirname(posix.isAbsolute(path) ? path : hostPath(path)),
      locate: (absolute) => {
        const path = posix.relative(this.instancesPath, posix.normalize(absolute));
        if (path === '' || path.startsWith('..')) return { kind: 'outside', path: posix.normalize(absolute), seen: false };
        const entry = this.#entries.get(path);
        if (entry === undefined || !('symlink' in entry)) return { kind: 'inside', path };
        return { kind: 'outside', path: entry.symlink, seen: false };
      },
      inspect: (path, withHeader) => {
        const entry = this.#entries.get(path);
        if (entry === undefined) return { kind: 'absent' };
        if (!isFile(entry)) return { kind: 'irregular', message: 'it is not a regular file' };
        return withHeader ? header(path, entry) : { kind: 'raw' };
      },
      isNamed: () => false,
      hasBaseFile: (name) => this.#entries.has(`_base/${name}`),
      baseFileAt: () => undefined,
    };
  }

  #header(entry: TreeEntry): ImageHeader {
    const bytes = contentOf(entry, this.instancesPath);
    return parseImageHeader(bytes.subarray(0, HEAD_BYTES), (offset, length) => bytes.subarray(offset, offset + length));
  }

  #children(directory: string): [string, TreeEntry][] {
    const children = new Map<string, TreeEntry>();
    for (const [path, entry] of this.#entries) {
      const relative = posix.relative(directory, path);
      if (relative === '' || relative.startsWith('..')) continue;
      const [name = '', ...deeper] = relative.split('/');
      children.set(name, deeper.length > 0 ? { directory: true } : entry);
    }
    return [...children];
  }
}

function isFile(entry: TreeEntry): boolean {
  return !('directory' in entry || 'symlink' in entry || 'fifo' in entry);
}

function sizeOf(entry: TreeEntry): number {
  return 'sizeBytes' in entry && entry.sizeBytes !== undefined ? entry.sizeBytes : contentOf(entry, '').length;
}

function contentOf(entry: TreeEntry, instancesPath: string): Buffer {
  if ('qcow2' in entry) return qcow2Header(expandQcow2(entry.qcow2, instancesPath));
  return 'content' in entry ? Buffer.from(entry.content ?? '') : Buffer.alloc(0);
}
