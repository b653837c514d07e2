/** What names an inode, as `fs` gives it with `bigint`. */
export interface InodeNumbers {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Keys of inodes for one map. Nearly all lie on one device, the first that is asked for: of these the inode number alone is the key. */
export class InodeKeys {
  #device: bigint | undefined;

  of({ dev, ino }: InodeNumbers): bigint {
    this.#device ??= dev;
    return dev === this.#device ? ino : ((dev + 1n) << 64n) | ino;
  }
}
