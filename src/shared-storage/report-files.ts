import { hash } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';
import { errnoOf, hasErrno, messageOf } from '../lib/errors.ts';
import { withPlaces, type Place } from '../disk/open-places.ts';
import { readSmallFile, type SmallFile } from '../disk/read-small-file.ts';
import { MAX_REPORT_BYTES, parseHostReport, reportFileName } from './host-report.ts';
import type { FoundReport } from './hosts.ts';
import { reduceReport, type KnownReport, type ReportView } from './reduce-report.ts';
import type { ReportPlaces } from './own-report.ts';
import { distrust } from './trust.ts';

/** What the reports of all hosts may take of the memory that this process may have, by the costs that they are kept with. */
const SHARE_OF_HEAP = 0.35;
/** A report is replaced every few seconds: one that was, between our opening it and looking at it, is opened again. */
const ATTEMPTS = 10;
/** The only part that changes while its host does nothing. It can be no part of a text in the report, where quotes are escaped. */
const TAKEN_AT = /"takenAtMs":(\d{1,16}(?:\.\d{1,9})?)/;

/** One host's file as it was last read. */
interface Known {
  /** Of its text, but for the time. */
  readonly body: string;
  readonly takenAtMs: string;
  /** How often it was seen to be another than before. */
  readonly changes: number;
  readonly cost: number;
  /** Undefined: it found no room. */
  readonly found: FoundReport | undefined;
}

/**
 * The reports of other hosts, beside the lock files: read through the directory that was opened, following no link, and believed only where
 * their owner and their place are right. Anyone on the node, or on another host, may have put something else there.
 */
export class ReportFiles {
  readonly #places: ReportPlaces;
  readonly #view: ReportView;
  readonly #maximumCost: number;
  readonly #known = new Map<string, Known>();

  constructor(places: ReportPlaces, view: ReportView, maximumCost = SHARE_OF_HEAP * getHeapStatistics().heap_size_limit) {
    this.#places = places;
    this.#view = view;
    this.#maximumCost = maximumCost;
  }

  /** Of each host, what its report says, or why there is none. */
  read(hosts: readonly string[]): ReadonlyMap<string, FoundReport> {
    const wanted = new Set(hosts);
    for (const host of this.#known.keys()) if (!wanted.has(host)) this.#known.delete(host);
    try {
      return withPlaces(this.#places, (_, locks) => this.#readAll(hosts, locks));
    } catch (error) {
      return new Map(hosts.map((host) => [host, unreadable(error)]));
    }
  }

  /** How often the host's report was seen to be another one. */
  changesOf(host: string): number {
    return this.#known.get(host)?.changes ?? 0;
  }

  /** Each host has its share. What is left of these goes to those who need more, the smallest first: nobody is left out for another's sake. */
  #readAll(hosts: readonly string[], locks: Place): ReadonlyMap<string, FoundReport> {
    const found = new Map<string, FoundReport>();
    const large: string[] = [];
    let room = this.#maximumCost;
    const share = room / Math.max(1, hosts.length);
    for (const host of hosts) {
      const answer = this.#report(host, locks, share);
      if (answer === undefined) large.push(host);
      else found.set(host, answer);
      room -= answer === undefined ? 0 : this.#costOf(host);
    }
    for (const host of large.toSorted((a, b) => this.#costOf(a) - this.#costOf(b))) {
      const answer = this.#report(host, locks, room);
      found.set(host, answer ?? { problem: TOO_LARGE });
      room -= answer === undefined ? 0 : this.#costOf(host);
    }
    return new Map(hosts.map((host) => [host, found.get(host) ?? NOT_REPORTED]));
  }

  #costOf(host: string): number {
    return this.#known.get(host)?.cost ?? 0;
  }

  /** Undefined where it needs more room. */
  #report(host: string, locks: Place, room: number): FoundReport | undefined {
    const fileName = reportFileName(host);
    if (fileName === undefined) return { problem: 'its name cannot be part of the name of a report' };
    try {
      const file = readWhole(`${locks.path}/${fileName}`);
      const suspicion = file === undefined ? undefined : distrust(file, { directory: locks, alsoOwnedBy: ourUsers() });
      if (file !== undefined && suspicion === undefined) return this.#take(host, file.text, room);
      this.#known.delete(host);
      return suspicion === undefined ? NOT_REPORTED : { problem: `its report ${fileName} is not believed: ${suspicion}` };
    } catch (error) {
      this.#known.delete(host);
      return unreadable(error);
    }
  }

  /** What says the same as before is not parsed again. Nothing of a report is kept that finds no room. */
  #take(host: string, text: string, room: number): FoundReport | undefined {
    const takenAtMs = TAKEN_AT.exec(text)?.[1] ?? '';
    const body = hash('sha256', text.replace(TAKEN_AT, '"takenAtMs":'));
    const before = this.#known.get(host);
    const isSame = before?.body === body;
    const changes = (before?.changes ?? 0) + (isSame && before.takenAtMs === takenAtMs ? 0 : 1);
    if (isSame && before.cost > room) {
      this.#known.set(host, { ...before, takenAtMs, changes, found: undefined });
      return undefined;
    }
    const { found, cost } =
      isSame && before.found !== undefined ? { ...before, found: retimed(before.found, takenAtMs) } : this.#parse(text, host);
    const fits = cost <= room;
    this.#known.set(host, { body, takenAtMs, changes, cost, found: fits ? found : undefined });
    return fits ? found : undefined;
  }

  #parse(text: string, host: string): { readonly found: FoundReport; readonly cost: number } {
    const { report, problem } = parseHostReport(text, host);
    if (report === undefined) return { found: { problem }, cost: 0 };
    const reduced = reduceReport(report, this.#view);
    return { found: { report: reduced.report }, cost: reduced.cost };
  }
}

const NOT_REPORTED: FoundReport = { problem: 'it has not reported: does an agent run there?' };
const TOO_LARGE =
  'its report names more than there is room for beside those of the other hosts, so it is not read: look at what it names, or give the agent more memory';

function retimed(found: FoundReport, takenAtMs: string): FoundReport {
  if (found.report === undefined) return found;
  const report: KnownReport = { ...found.report, takenAtMs: Number(takenAtMs) };
  return { report };
}

function readWhole(path: string): SmallFile | undefined {
  let file: SmallFile | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    file = readSmallFile(path, MAX_REPORT_BYTES);
    if (file?.links !== 0) break;
  }
  return file;
}

/** An agent that may not give files away leaves its own there: root's, or its user's. */
function ourUsers(): readonly number[] {
  return [0, process.geteuid?.() ?? 0];
}

function unreadable(error: unknown): FoundReport {
  if (errnoOf(error) === undefined) throw error;
  return hasErrno(error, 'ENOENT') ? NOT_REPORTED : { problem: `its report cannot be read: ${messageOf(error)}` };
}
