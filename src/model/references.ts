import type { ObjectReference } from './workload.ts';

/** Why a base file is protected: which workload names it, and through what. */
export interface Usage {
  /** The workload's name, or the instance directory of an overlay. */
  readonly by: string;
  readonly through: 'image' | 'kernel' | 'ramdisk' | 'swap' | 'ephemeral' | 'path' | 'overlay' | 'baseFile' | 'trashedFile' | 'pin';
  /** The image id, the path or the overlay, as found. */
  readonly value: string;
  readonly object?: ObjectReference | undefined;
  /** Of an overlay whose chain has more than one step: every file below it, in order, the one in question included. */
  readonly chain?: readonly string[] | undefined;
}

/** The names that workloads protect (Nova's `_list_running_instances`). */
export interface References {
  /** SHA-1 of an image id → usages. Protects `<sha1>`, `<sha1>_sm` and every `<sha1>_<digits>`. */
  readonly byDigest: ReadonlyMap<string, readonly Usage[]>;
  /** Exact file name (swap, ephemeral, direct paths) → usages. */
  readonly byName: ReadonlyMap<string, readonly Usage[]>;
  /** Names that an instance directory may have, `_resize` included. */
  readonly instanceNames: ReadonlySet<string>;
}
