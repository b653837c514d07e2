import { lstatSync, statfsSync, statSync, type BigIntStats, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import type { BaseScan, TrashScan } from '../model/scan.ts';
import type { FilesystemUsage } from '../model/filesystem.ts';
import type { BaseScanner, Clock } from '../model/ports.ts';
import { BaseFileRows, BLOCK_BYTES } from './rows/base-files.ts';
import { classify, partialDownloadDigest } from './classify.ts';
import type { Naming } from '../model/policy.ts';
import { DirectoryEntries, typeOf } from '../disk/list-directory.ts';
import { Pacer } from '../lib/pacer.ts';
import { ProblemLog } from '../disk/problem-log.ts';
import { decodeRawName, joinPath, type RawName } from '../disk/raw-name.ts';
import { directoriesOpenToAll } from '../disk/open-directories.ts';
import { FootprintCount } from './footprint.ts';
import { LetterCase } from './letter-case.ts';
import { scanTrash } from './trash.ts';

/** Some 100 bytes each, for as long as a pass lasts. */
const MOST_KNOWN_RAW = 16_384;
const LSTAT = { bigint: true, throwIfNoEntry: false } as const;

export interface BaseScannerOptions {
  /** Absolute. May itself be a symbolic link: anyone who configured it means its target. */
  readonly instancesPath: string;
  /** Below the instances path; Nova's `image_cache.subdirectory_name`. */
  readonly subdirectoryName: string;
  readonly naming: Naming;
  /** Looked at as well: whether everybody may write there. */
  readonly locksPath?: string | undefined;
  /** Whether a file holds no image format as far as is known already. Default: of an empty one alone. */
  readonly isKnownRaw?: ((stats: BigIntStats) => boolean) | undefined;
  /** Whether to add up what everything below the base directory takes. Default false. */
  readonly countsFootprint?: boolean | undefined;
  /** Paces the slices. Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/**
 * Lists `_base` with one lstat per entry (Nova's `_scan_base_images` and `get_disk_usage`). Opens the directory and nothing else.
 * A symbolic link in the place of `_base` is refused: the executor would refuse it as well.
 */
export function createBaseScanner(options: BaseScannerOptions): BaseScanner {
  const basePath = join(options.instancesPath, options.subdirectoryName);
  return {
    async scan({ signal } = {}) {
      const pacer = new Pacer(options.clock ?? systemClock, signal);
      const scan = new RunningScan(options, basePath);
      if (!scan.begin()) return scan.result();
      using entries = new DirectoryEntries(basePath, scan.onError);
      for (let entry = entries.next(); entry !== null; entry = entries.next()) {
        scan.visit(entry);
        if (pacer.due()) await pacer.pause();
      }
      await scan.visitTrash(pacer);
      await scan.enterOtherDirectories(pacer);
      return scan.result();
    },
  };
}

/** What one scan has found so far. */
class RunningScan {
  readonly #options: BaseScannerOptions;
  readonly #basePath: string;
  readonly #files = new BaseFileRows();
  readonly #knownRaw = new Set<string>();
  readonly #partialDownloads = new Map<string, number>();
  readonly #problems = new ProblemLog();
  readonly #letterCase = new LetterCase();
  #exists = false;
  #countsAsUsage = false;
  #filesystem: FilesystemUsage | undefined;
  #trash: TrashScan | undefined;
  #footprint: FootprintCount | undefined;
  #irregularEntries = 0;
  #allocatedBlocks = 0;
  #newestModifiedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BaseScannerOptions, basePath: string) {
    this.#options = options;
    this.#basePath = basePath;
  }

  /** False when there is no directory to list: it is missing, or something is wrong, which is then a problem. */
  begin(): boolean {
    const { instancesPath, subdirectoryName } = this.#options;
    try {
      // Fails when the instances path itself is missing: a mount that is not there must not look like an empty cache.
      const { dev } = statSync(instancesPath, { bigint: true });
      const base = lstatSync(this.#basePath, { bigint: true, throwIfNoEntry: false });
      // A cache that is not there takes nothing.
      if (this.#options.countsFootprint === true) this.#footprint = new FootprintCount(base ?? { dev, blocks: 0n });
      if (base === undefined) return false;
      this.#exists = true;
      if (!base.isDirectory()) {
        this.#problems.add(notADirectory(subdirectoryName, this.#basePath, base));
        return false;
      }
      this.#countsAsUsage = base.dev === dev;
      this.#filesystem = filesystemUsage(this.#basePath);
      return true;
    } catch (error) {
      this.onError(error);
      return false;
    }
  }

  readonly onError = (error: unknown): void => {
    this.#footprint?.unseen();
    this.#problems.addError(this.#options.subdirectoryName, error);
  };

  async visitTrash(pacer: Pacer): Promise<void> {
    this.#trash = await scanTrash({ ...this.#options, basePath: this.#basePath, pacer });
  }

  async enterOtherDirectories(pacer: Pacer): Promise<void> {
    await this.#footprint?.enterDirectories(pacer);
  }

  visit(entry: Dirent): void {
    const name = decodeRawName(entry.name);
    if (!entry.isFile() && typeOf(entry) !== undefined) {
      this.#addIrregular(name);
      return;
    }
    let stats: BigIntStats | undefined;
    try {
      stats = lstatSync(joinPath(this.#basePath, name), LSTAT);
      if (stats !== undefined && name.bytes === undefined) this.#noteCase(name.text, stats);
    } catch (error) {
      this.#footprint?.unseen();
      this.#problems.addError(`${this.#options.subdirectoryName}/${name.text}`, error);
      return;
    }
    // Removed since it was listed: not a problem.
    if (stats === undefined) return;
    if (stats.isFile()) this.#add(name, stats);
    else this.#addIrregular(name);
  }

  result(): BaseScan {
    const { locksPath } = this.#options;
    const open = directoriesOpenToAll([this.#basePath, ...(locksPath === undefined ? [] : [locksPath])]);
    return {
      basePath: this.#basePath,
      exists: this.#exists,
      files: this.#files,
      newestModifiedAtMs: this.#newestModifiedAtMs,
      irregularEntries: this.#irregularEntries,
      partialDownloads: this.#partialDownloads,
      problems: this.#problems.list(),
      knownRaw: this.#knownRaw,
      ...(open.length === 0 ? {} : { openDirectories: open }),
      ...(this.#trash === undefined ? {} : { trash: this.#trash }),
      filesystem: this.#filesystem,
      cacheUsageBytes: this.#countsAsUsage ? this.#allocatedBlocks * BLOCK_BYTES : 0,
      ...(this.#footprint === undefined ? {} : { footprint: this.#footprint.result() }),
    };
  }

  #noteCase(name: string, stats: BigIntStats): void {
    const look = (other: string) => lstatSync(`${this.#basePath}/${other}`, LSTAT);
    const problem = this.#letterCase.problemOf(this.#options.subdirectoryName, name, stats, look);
    if (problem !== undefined) this.#problems.add(problem);
  }

  #noteRaw(name: string, stats: BigIntStats): void {
    if (this.#knownRaw.size === MOST_KNOWN_RAW) return;
    if (stats.size === 0n || this.#options.isKnownRaw?.(stats) === true) this.#knownRaw.add(name);
  }

  #addIrregular(name: RawName): void {
    this.#irregularEntries += 1;
    this.#footprint?.look(joinPath(this.#basePath, name));
  }

  #add(name: RawName, stats: BigIntStats): void {
    this.#footprint?.add(stats);
    // A name that is not valid UTF-8 cannot be reported or referenced, so the file is always foreign.
    const kind = name.bytes === undefined ? classify(name.text, this.#options.naming) : 'foreign';
    this.#files.push(name.text, kind, stats);
    this.#allocatedBlocks += Number(stats.blocks);
    if (name.bytes === undefined) this.#noteRaw(name.text, stats);
    const modifiedAtMs = Number(stats.mtimeNs) / 1e6;
    if (modifiedAtMs > this.#newestModifiedAtMs) this.#newestModifiedAtMs = modifiedAtMs;
    const digest = kind === 'foreign' ? partialDownloadDigest(name.text) : undefined;
    if (digest === undefined) return;
    const newest = this.#partialDownloads.get(digest) ?? Number.NEGATIVE_INFINITY;
    this.#partialDownloads.set(digest, Math.max(newest, modifiedAtMs));
  }
}

function notADirectory(path: string, basePath: string, stats: BigIntStats) {
  const what = stats.isSymbolicLink() ? 'a symbolic link' : 'no directory';
  const message = `it is ${what}, which is not followed; mount the cache at ${basePath} (a bind mount does), or let instancesPath and subdirectoryName name the real directory`;
  return { path, code: stats.isSymbolicLink() ? 'ELOOP' : 'ENOTDIR', message };
}

function filesystemUsage(path: string): FilesystemUsage | undefined {
  try {
    const { frsize, blocks, bavail } = statfsSync(path);
    return { sizeBytes: blocks * frsize, availableBytes: bavail * frsize };
  } catch (error) {
    // Only metrics need it; some network file systems do not answer.
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
