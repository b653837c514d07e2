import { errnoOf } from '../lib/errors.ts';
import { withPlaces } from '../disk/open-places.ts';
import { fileVersion } from '../disk/read-small-file.ts';
import { replaceFile } from '../disk/write-small-file.ts';
import type { HostReport } from '../model/host-report.ts';
import { formatHostReport, reportFileName } from './host-report.ts';

export interface ReportPlaces {
  readonly instancesPath: string;
  readonly locksPath: string;
}

const STRANGER =
  'somebody else has written the report of this host: let no other agent have the same sharedStorage.hostName, or find out who writes there';

/** The report of this host, for the others. */
export class OwnReport {
  readonly #places: ReportPlaces;
  /** What was written last; undefined before. */
  #written: string | undefined;

  constructor(places: ReportPlaces) {
    this.#places = places;
  }

  /** Replaces it. Says why others may have read one that is not ours, if so. Throws an errno error. */
  publish(report: HostReport): string | undefined {
    const fileName = reportFileName(report.host);
    if (fileName === undefined) return undefined;
    return withPlaces(this.#places, (_, locks) => {
      const path = `${locks.path}/${fileName}`;
      const found = versionOf(path);
      const isOurs = this.#written === undefined || found === undefined || found === this.#written;
      replaceFile(path, formatHostReport(report));
      this.#written = versionOf(path);
      return isOurs ? undefined : STRANGER;
    });
  }
}

/** Undefined where there is none. A link or a directory is another than any file. */
function versionOf(path: string): string | undefined {
  try {
    return fileVersion(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return 'no file';
  }
}
