import { errnoOf, hasErrno, messageOf } from '../lib/errors.ts';
import { withPlaces, type Place } from '../disk/open-places.ts';
import { readSmallFile, type SmallFile } from '../disk/read-small-file.ts';
import { replaceFile } from '../disk/write-small-file.ts';
import type { HostReport } from '../model/host-report.ts';
import { parseHostReport, reportFileName } from './host-report.ts';
import type { FoundReport } from './hosts.ts';
import { distrust } from './trust.ts';

/** Some ten thousand workloads. */
const MAX_REPORT_BYTES = 8 * 1024 * 1024;
/** A report is replaced every few seconds: one that was, between our opening it and looking at it, is opened again. */
const ATTEMPTS = 10;

export interface ReportPlaces {
  readonly instancesPath: string;
  readonly locksPath: string;
}

/**
 * The reports of other hosts, beside the lock files: read through the directory that was opened, following no link, and believed only where
 * their owner and their place are right. Anyone on the node, or on another host, may have put something else there.
 */
export class ReportFiles {
  readonly #places: ReportPlaces;
  readonly #parsed = new Map<string, { readonly text: string; readonly found: FoundReport }>();

  constructor(places: ReportPlaces) {
    this.#places = places;
  }

  /** Of each host, what its report says, or why there is none. */
  read(hosts: readonly string[]): ReadonlyMap<string, FoundReport> {
    const wanted = new Set(hosts);
    for (const host of this.#parsed.keys()) if (!wanted.has(host)) this.#parsed.delete(host);
    try {
      return withPlaces(this.#places, (_, locks) => new Map(hosts.map((host) => [host, this.#report(host, locks)])));
    } catch (error) {
      return new Map(hosts.map((host) => [host, unreadable(error)]));
    }
  }

  #report(host: string, locks: Place): FoundReport {
    const fileName = reportFileName(host);
    if (fileName === undefined) return { problem: 'its name cannot be part of the name of a report' };
    try {
      const file = readWhole(`${locks.path}/${fileName}`);
      if (file === undefined) return NOT_REPORTED;
      const suspicion = distrust(file, { directory: locks, alsoOwnedBy: ourUsers() });
      if (suspicion !== undefined) return { problem: `its report ${fileName} is not believed: ${suspicion}` };
      const known = this.#parsed.get(host);
      if (known?.text === file.text) return known.found;
      const found = parseHostReport(file.text, host);
      this.#parsed.set(host, { text: file.text, found });
      return found;
    } catch (error) {
      return unreadable(error);
    }
  }
}

const NOT_REPORTED: FoundReport = { problem: 'it has not reported: does an agent run there?' };

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

/** Replaces the report of this host, for the others. Throws an errno error. */
export function publishReport(places: ReportPlaces, report: HostReport): void {
  const fileName = reportFileName(report.host);
  if (fileName !== undefined) withPlaces(places, (_, locks) => replaceFile(`${locks.path}/${fileName}`, JSON.stringify(report)));
}
