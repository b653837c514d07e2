import { utimesSync, writeFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import type { Report } from '../../src/model/report.ts';
import { passOnTree } from './pass-on-tree.ts';
import { qemuImg } from './qemu-img.ts';
import { buildTree, DAY, type Tree } from './tree.ts';

/** Directories of an instance, base files and locks, which go with the test. */
export function emptyNode(): Tree {
  const tree = buildTree({ _base: { directory: true }, locks: { directory: true }, 'vm-1': { directory: true } });
  onTestFinished(tree.cleanup);
  return tree;
}

/** Makes a real raw image, two days old. */
export function addOldImage(tree: Tree, name: string): void {
  qemuImg(['create', '-q', '-f', 'raw', tree.path(name), '1M']);
  const twoDaysAgo = Date.now() / 1000 - 2 * DAY;
  utimesSync(tree.path(name), twoDaysAgo, twoDaysAgo);
}

/** An enforcing pass that knows one VM, of another image. */
export async function passBesideAnotherVm(tree: Tree, settings: SettingsInput = {}): Promise<Report> {
  const workloads = tree.path('../workloads.yaml');
  writeFileSync(workloads, 'workloads: [{name: vm, imageRef: other}]\n');
  return await passOnTree(tree, { workloads, settings, dryRun: false });
}
