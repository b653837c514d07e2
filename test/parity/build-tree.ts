import { bytesOf, type ByteName } from './names.ts';
import type { Content, Directory, Entry, Instance, Tree } from './tree-spec.ts';

/** Ages in milliseconds, as far beyond Nova's default limits as they say. */
export const YOUNG = 60_000;
export const TWO_HOURS = 7_200_000;
export const TWO_DAYS = 172_800_000;

const SOME_DATA: Content = { kind: 'data', bytes: 4096 };

/** A tree that holds nothing, with Nova's defaults; say only what matters. */
export function treeOf(parts: Partial<Tree>): Tree {
  return {
    baseExists: true,
    locksExist: false,
    base: [],
    directories: [],
    locks: [],
    instances: [],
    removeUnused: true,
    originalMinimumAgeSeconds: 86_400,
    resizedMinimumAgeSeconds: 3600,
    ...parts,
  };
}

export function file(name: string, ageMs: number, content: Content = SOME_DATA): Entry {
  return { name: bytesOf(name), type: 'file', ageMs, content, target: '' };
}

export function irregular(name: string, type: Exclude<Entry['type'], 'file'>, ageMs: number, target: ByteName = ''): Entry {
  return { name: bytesOf(name), type, ageMs, content: SOME_DATA, target };
}

/** An instance directory with one overlay `disk`, whose header names `backing`. */
export function directoryWithDisk(name: string, backing: string | null): Directory {
  return { name: bytesOf(name), link: false, entries: [file('disk', YOUNG, { kind: 'qcow2', backing })] };
}

export function instance(name: string, parts: Partial<Instance> = {}): Instance {
  return {
    name,
    uuid: `uuid-of-${name}`,
    imageRef: null,
    kernelId: null,
    ramdiskId: null,
    vmState: 'active',
    taskState: null,
    swapMb: [],
    ephemeral: [],
    ...parts,
  };
}
