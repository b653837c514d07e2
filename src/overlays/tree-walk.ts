import { lstatSync, realpathSync, type BigIntStats, type Dirent } from 'node:fs';
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../lib/errors.ts';
import type { Clock } from '../model/ports.ts';
import { LEDGER_DIRECTORY } from '../model/ledger/records.ts';
import { TRASH_DIRECTORY } from '../model/trash-names.ts';
import { isCoarse, isFreshTime } from '../disk/times.ts';
import { entryType } from '../disk/list-directory.ts';
import { decodeRawName, joinPath, type FsPath } from '../disk/raw-name.ts';
import type { OverlayListing } from './listing.ts';
import { isLostAndFound, isNamedAsPast, isPastState, isRefusal, type FoundDirectory } from './not-images.ts';
import { visitFile, visitLink, visitSpecial, type Found } from './visit.ts';

/** Levels of directories below the instances path. Nova has one; a directory for each tenant, two. */
const MAX_DEPTH = 16;
const MAX_ENTRIES = 2_000_000;
/** How often directories that changed are listed again before the scan counts as incomplete. */
const MAX_ROUNDS = 10;
/** The kernel's tick: a change within it leaves no trace, so a directory that has just changed is listed again after it. */
const TICK_MS = 20;

interface Directory {
  readonly path: FsPath;
  /** To the instances path; empty for it. */
  readonly relative: string;
  readonly depth: number;
}

interface Noted extends Directory {
  readonly ctimeNs: bigint | undefined;
  /** It changed so short a time ago that it could change again without a trace. */
  readonly restless: boolean;
}

/**
 * Looks at every file below the instances path, at any depth and of any name.
 *
 * A listing is not a snapshot: an entry that is renamed meanwhile, as an instance directory is in a resize, may appear under neither
 * name. So directories that changed while they were read are listed again, these alone, until none changes. What was found once
 * stays found: it can only protect.
 */
export async function walkTree(listing: OverlayListing, clock: Clock): Promise<void> {
  await new TreeWalk(listing, clock).run('');
}

/** As `walkTree`, for what lies below the base directory alone: base files, and the trash. */
export async function walkBaseDirectory(listing: OverlayListing, clock: Clock): Promise<void> {
  await new TreeWalk(listing, clock).run(posix.normalize(listing.subdirectoryName));
}

class TreeWalk {
  readonly #listing: OverlayListing;
  readonly #clock: Clock;
  readonly #baseDirectories: readonly string[];
  /** Directories that were listed. */
  readonly #seen = new Set<string>();
  #noted: Noted[] = [];
  #entries = 0;
  #isFirstRound = true;

  constructor(listing: OverlayListing, clock: Clock) {
    const base = posix.normalize(listing.subdirectoryName);
    this.#listing = listing;
    this.#clock = clock;
    this.#baseDirectories = [base, `${base}/${TRASH_DIRECTORY}`];
  }

  async run(start: string): Promise<void> {
    // The instances path itself may be a link: its target is meant.
    const path = posix.join(realPath(this.#listing.instancesPath), start);
    await this.#list([{ path, relative: start, depth: start === '' ? 0 : start.split('/').length }]);
    for (let round = 1; ; round += 1) {
      const changed = this.#takeChanged();
      const [first] = changed;
      if (first === undefined) return;
      if (round === MAX_ROUNDS) {
        const message = 'it changed whenever it was read, so what lies in it is unknown; the next pass reads it again';
        this.#listing.unseen.add(nameOf(first), 'Changing', message);
        return;
      }
      await this.#listing.pacer.pause();
      if (changed.some(({ restless }) => restless)) await sleep(TICK_MS);
      this.#isFirstRound = false;
      await this.#list(changed);
    }
  }

  /** Directories that are not what they were when they were noted; they are noted again when they are listed. */
  #takeChanged(): readonly Noted[] {
    const isChanged = ({ path, ctimeNs, restless }: Noted): boolean => restless || statsOf(path)?.ctimeNs !== ctimeNs;
    const { true: changed = [], false: still = [] } = Object.groupBy(this.#noted, (noted) => (isChanged(noted) ? 'true' : 'false'));
    this.#noted = still;
    return changed;
  }

  /**
   * Where stamps are whole seconds, a directory stays restless for two of them: it is listed once more, and that is enough for a
   * rename, which is one change.
   */
  #isRestless(ctimeNs: bigint | undefined): boolean {
    if (!isFreshTime(ctimeNs, this.#clock.now().wallMs)) return false;
    return this.#isFirstRound || !isCoarse(ctimeNs);
  }

  async #list(directories: readonly Directory[]): Promise<void> {
    const open = directories.toReversed();
    for (let directory = open.pop(); directory !== undefined; directory = open.pop()) open.push(...(await this.#listNext(directory)));
  }

  /** Returns the directories in it that are to be listed as well. Lock files that are known to be empty are not even listed again. */
  async #listNext(directory: Directory): Promise<Directory[]> {
    const { listings, locks, knownLocks, emptyLocks } = this.#listing;
    if (directory.relative !== locks) return await this.#listOne(directory);
    const stats = statsOf(directory.path);
    if (stats !== undefined && knownLocks?.isUnchanged(stats) === true) return ledgerIn(directory);
    const [{ wallMs }, before] = [this.#clock.now(), this.#entries];
    const below = await this.#listOne(directory);
    const isReliable = stats !== undefined && listings.isReliable(directory.path, stats, wallMs);
    emptyLocks.listed(this.#entries - before, isReliable ? stats : undefined);
    return below;
  }

  async #listOne(directory: Directory): Promise<Directory[]> {
    const { listings, pacer, unseen } = this.#listing;
    const { path, relative, depth } = directory;
    const stats = statsOf(path);
    const ctimeNs = stats?.ctimeNs;
    // Locks and reports come and go all the time, and no disk is renamed there: what lies in it lies still.
    if (relative !== this.#listing.locks) this.#noted.push({ path, relative, depth, ctimeNs, restless: this.#isRestless(ctimeNs) });
    unseen.clear(nameOf(directory));
    const below: Directory[] = [];
    const onError = (error: unknown): void => {
      // What was not listed counts as one more: then the lock files that were seen are not all.
      this.#count();
      // A directory that was deleted since it was listed holds nothing.
      const isExcused = relative !== '' && (errnoOf(error) === 'ENOENT' || (isRefusal(error) && isOneOf(path, isLostAndFound)));
      if (!isExcused) unseen.addError(nameOf(directory), 'NotEntered', error);
    };
    const role = this.#roleOf(relative);
    const known = this.#knownIn(role, relative);
    for (const entry of listings.entriesOf(path, stats, onError)) {
      if (pacer.due()) await pacer.pause();
      this.#count();
      const name = decodeRawName(entry.name);
      if (known !== undefined && entry.isFile() && name.bytes === undefined && known.has(name.text)) continue;
      const own = relative === '' ? name.text : `${relative}/${name.text}`;
      const file = joinPath(path, name);
      if (this.#visit({ file, path: own, name: name.text, role, depth }, entry))
        below.push({ path: file, relative: own, depth: depth + 1 });
    }
    return below;
  }

  /**
   * What needs no second look: a base file whose header is known, unless something has changed around it since, and a lock file that was
   * empty, because nobody writes a disk into one.
   */
  #knownIn(role: Found['role'], relative: string): Pick<ReadonlySet<string>, 'has'> | undefined {
    if (role === 'base') return this.#isFirstRound ? this.#listing.knownRaw : undefined;
    return relative === this.#listing.locks ? this.#listing.knownLocks?.names : undefined;
  }

  #roleOf(relative: string): Found['role'] {
    if (relative === this.#baseDirectories[0]) return 'base';
    return relative === this.#baseDirectories[1] ? 'trash' : 'other';
  }

  /** True for a directory that is to be listed. */
  #visit(found: Found, entry: Dirent): boolean {
    const { unseen, pacer } = this.#listing;
    try {
      const type = entryType(entry, found.file);
      if (type === 'directory') return this.#enters(found);
      if (type === 'file') visitFile(this.#listing, found);
      else if (type === 'link') visitLink(this.#listing, found);
      else visitSpecial(this.#listing, found, type);
    } catch (error) {
      pacer.throwIfAborted();
      if (errnoOf(error) === 'ENOENT') return false;
      unseen.addError(found.path, 'NotOpened', error);
    }
    return false;
  }

  #enters(found: Found): boolean {
    this.#countLedger(found);
    if (isNamedAsPast(found.name) && isOneOf(found.file, isPastState)) return false;
    if (found.depth >= MAX_DEPTH) {
      const message = `it lies more than ${MAX_DEPTH} directories down; move it up, or list it under ignore`;
      this.#listing.unseen.add(found.path, 'NotEntered', message);
      return false;
    }
    // One that was listed is listed again only where it changed itself.
    if (this.#seen.has(found.path)) return false;
    this.#seen.add(found.path);
    return true;
  }

  /** The records of removals lie among the lock files. They are looked at each time, so that lock files which are known need not be. */
  #countLedger({ path }: Found): void {
    const { locks, emptyLocks } = this.#listing;
    if (path === `${locks}/${LEDGER_DIRECTORY}`) emptyLocks.addOurs();
  }

  #count(): void {
    this.#entries += 1;
    if (this.#entries === MAX_ENTRIES) this.#listing.unseen.add('.', 'NotEntered', `it has more than ${MAX_ENTRIES} entries`);
  }
}

/** The path itself where it is not there or cannot be resolved: the listing reports that. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return path;
  }
}

function nameOf({ relative }: Directory): string {
  return relative === '' ? '.' : relative;
}

function isOneOf(path: FsPath, is: (directory: FoundDirectory) => boolean): boolean {
  const stats = statsOf(path);
  if (stats === undefined || typeof path !== 'string') return false;
  return is({ path, stats, parentDevice: statsOf(posix.dirname(path))?.dev });
}

function ledgerIn({ path, relative, depth }: Directory): Directory[] {
  const ledger = joinPath(path, { text: LEDGER_DIRECTORY });
  const isThere = statsOf(ledger)?.isDirectory() === true;
  return isThere ? [{ path: ledger, relative: `${relative}/${LEDGER_DIRECTORY}`, depth: depth + 1 }] : [];
}

/** Undefined when it is not there or cannot be looked at; the listing reports that. */
function statsOf(directory: FsPath): BigIntStats | undefined {
  try {
    return lstatSync(directory, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
