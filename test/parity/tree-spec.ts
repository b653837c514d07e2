import type { ByteName } from './names.ts';

export type Content =
  | { readonly kind: 'zeros' | 'data' | 'sparse'; readonly bytes: number }
  /** `{root}` stands for the instances path. */
  | { readonly kind: 'qcow2'; readonly backing: string | null }
  | { readonly kind: 'truncated-qcow2' }
  | { readonly kind: 'text'; readonly text: string };

export interface Entry {
  readonly name: ByteName;
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket';
  /** Milliseconds before the frozen now; negative: in the future. */
  readonly ageMs: number;
  readonly content: Content;
  /** Of a symlink, relative to its directory; `{root}` as above. */
  readonly target: ByteName;
}

export interface Directory {
  readonly name: ByteName;
  /** A symlink to a directory elsewhere below the instances path. */
  readonly link: boolean;
  readonly entries: readonly Entry[];
}

export interface Instance {
  readonly name: string;
  readonly uuid: string;
  readonly imageRef: string | null;
  readonly kernelId: string | null;
  readonly ramdiskId: string | null;
  readonly vmState: string;
  readonly taskState: string | null;
  readonly swapMb: readonly number[];
  readonly ephemeral: readonly { readonly sizeGb: number; readonly filesystem: string | null }[];
}

/** A whole case: what is on disk, what runs, and Nova's options. */
export interface Tree {
  readonly baseExists: boolean;
  readonly locksExist: boolean;
  readonly base: readonly Entry[];
  readonly directories: readonly Directory[];
  readonly locks: readonly ByteName[];
  readonly instances: readonly Instance[];
  readonly removeUnused: boolean;
  readonly originalMinimumAgeSeconds: number;
  readonly resizedMinimumAgeSeconds: number;
}

/** The frozen now of every tree: whole seconds, so that an age on a limit is exact. */
export const NOW_MS = 1_795_444_200_000;
