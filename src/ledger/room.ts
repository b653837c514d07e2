import { existsSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** Removals in a row that may show no more room: some file systems free it later, and others may take it at once. */
const WITHOUT_ROOM = 16;

/** Numbers of btrfs, ZFS and bcachefs, as statfs says them: parts of one file system have devices of their own, and share its room. */
const WITH_SUBVOLUMES: ReadonlySet<number> = new Set([0x9123683e, 0x2fc12fc1, 0xca451a4e]);

/** Whether the removal of base files makes room where the ledger lies. */
export class Room {
  readonly #basePath: string;
  readonly #ledgerPath: string;
  #freeBytes = 0;
  #isGone = false;
  #inVain = 0;

  constructor(basePath: string, ledgerPath: string) {
    this.#basePath = basePath;
    this.#ledgerPath = ledgerPath;
  }

  /** A file went to make room. */
  gone(): void {
    this.#isGone = true;
  }

  /** Asked before each file that is to go for that: why it stays. Throws an errno error where the file system does not say. */
  refusal(): string | undefined {
    const place = existing(this.#ledgerPath);
    if (isElsewhere(this.#basePath, place))
      return 'the ledger lies on another file system than the base files, so a removal makes no room for its record';
    const { bfree, bsize } = statfsSync(place);
    const freeBytes = bfree * bsize;
    if (this.#isGone) this.#inVain = freeBytes > this.#freeBytes ? 0 : this.#inVain + 1;
    [this.#freeBytes, this.#isGone] = [freeBytes, false];
    if (this.#inVain < WITHOUT_ROOM) return undefined;
    return `the last ${WITHOUT_ROOM} files that went to make room left no more of it, so no other goes without its record`;
  }
}

/** The path, or what there is of it. */
function existing(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existing(dirname(path));
}

function isElsewhere(left: string, right: string): boolean {
  if (statSync(left, { bigint: true }).dev === statSync(right, { bigint: true }).dev) return false;
  const { type } = statfsSync(left);
  return type !== statfsSync(right).type || !WITH_SUBVOLUMES.has(type);
}
