import type { BaseScanner, OverlayScanner } from '../../../src/model/ports.ts';
import { createBaseScanner } from '../../../src/scan/base-scanner.ts';
import { createOverlayScanner } from '../../../src/overlays/overlay-scanner.ts';
import { MemoryTree } from '../../helpers/memory-scan.ts';
import { buildTree, type TreeSpec } from '../../helpers/tree.ts';

/** A tree that can be scanned, in memory or on disk. */
export interface ScannableTree extends Disposable {
  readonly instancesPath: string;
  readonly nowMs: number;
  baseScanner(): BaseScanner;
  overlayScanner(): OverlayScanner;
  add(spec: TreeSpec): void;
  remove(path: string): void;
}

function memory(spec: TreeSpec): ScannableTree {
  const nowMs = 1_700_000_000_000;
  const tree = new MemoryTree(spec, { nowMs });
  return {
    instancesPath: tree.instancesPath,
    nowMs,
    baseScanner: () => tree.baseScanner(),
    overlayScanner: () => tree.overlayScanner(),
    add: (more) => tree.add(more),
    remove: (path) => tree.remove(path),
    [Symbol.dispose]: () => undefined,
  };
}

function disk(spec: TreeSpec): ScannableTree {
  const nowMs = Date.now();
  const tree = buildTree(spec);
  const { instancesPath } = tree;
  // An hour ahead, so that what was written just now counts as settled.
  const clock = { now: () => ({ wallMs: Date.now() + 3_600_000, monotonicMs: performance.now() }) };
  return {
    instancesPath,
    nowMs,
    baseScanner: () => createBaseScanner({ instancesPath, subdirectoryName: '_base', naming: 'strict' }),
    overlayScanner: () => createOverlayScanner({ instancesPath, subdirectoryName: '_base', overlays: 'all', clock }),
    add: tree.add,
    remove: tree.remove,
    [Symbol.dispose]: tree.cleanup,
  };
}

export const IMPLEMENTATIONS: readonly { readonly name: string; readonly make: (spec: TreeSpec) => ScannableTree }[] = [
  { name: 'memory twin', make: memory },
  { name: 'real directory', make: disk },
];
