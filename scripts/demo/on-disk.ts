/** The first half of the demo: everything that needs no API server. */
import { readdirSync } from 'node:fs';
import { basekeeper } from './command-line.ts';
import { chapter, note, show } from './show.ts';
import { BASE_FILES, OVERLAYS, PUZZLE, WORKLOADS } from './story.ts';
import type { DemoTree } from './tree.ts';

export function showTree({ instancesPath }: DemoTree): void {
  chapter(`A node with ${WORKLOADS.length} VMs and a cache of ${BASE_FILES.length} base files`);
  note(instancesPath);
  for (const { name, sizeMb, about } of BASE_FILES) show(`  _base/${name.padEnd(54)} ${String(sizeMb).padStart(3)} MB  ${about}`);
  for (const { instance, baseName } of OVERLAYS) show(`  ${instance}/disk → _base/${baseName}`);
}

/** Plan, a reason, and one pass that removes, by a list of the VMs instead of a cluster. */
export async function showPassOnDisk(tree: DemoTree): Promise<void> {
  const options = ['--config', tree.configPath, '--workloads', tree.workloadsPath];
  chapter('The plan: a verdict and a reason for each file');
  await basekeeper(['plan', ...options]);
  chapter('Why would that file stay?');
  await basekeeper(['explain', PUZZLE, ...options]);
  chapter('One enforced pass');
  const before = readdirSync(tree.basePath);
  await basekeeper(['pass', ...options], { lastLine: true });
  showRemoved(before, tree);
}

/** `before`: the names in `_base`. */
export function showRemoved(before: readonly string[], { basePath }: DemoTree): void {
  const after = new Set(readdirSync(basePath));
  for (const { name, sizeMb, about } of BASE_FILES.filter((file) => before.includes(file.name) && !after.has(file.name)))
    show(`  removed _base/${name.padEnd(54)} ${String(sizeMb).padStart(3)} MB  ${about}`);
  show(`  ${after.size} of ${before.length} files are left`);
}
