import type { InodeNumbers } from '../disk/inode-keys.ts';
import type { ScanProblem } from '../model/scan.ts';

/** Asks once for each scan whether names that differ in upper and lower case alone are one name here: a disk may name a base file by any of them. */
export class LetterCase {
  #isAsked = false;

  /**
   * Undefined where nothing is wrong, or where the question was asked before.
   *
   * @param look what lstat says of another name in the directory; undefined where there is none.
   */
  problemOf(
    directory: string,
    name: string,
    { dev, ino }: InodeNumbers,
    look: (name: string) => InodeNumbers | undefined,
  ): ScanProblem | undefined {
    const lower = name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
    const other = lower === name ? name.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()) : lower;
    if (this.#isAsked || other === name) return undefined;
    this.#isAsked = true;
    const found = look(other);
    if (found?.dev !== dev || found.ino !== ino) return undefined;
    const message = `'${other}' and '${name}' are one file there: its file system does not distinguish upper and lower case, so that nobody knows by which names disks use base files; move the cache to one that does`;
    return { path: directory, code: 'ENOTSUP', message };
  }
}
