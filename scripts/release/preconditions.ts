/** What must hold before anything is published. */
import { execFileSync, spawnSync } from 'node:child_process';
import { type Access, digestOf } from './commands.ts';
import { published } from './publish.ts';
import type { Release } from './release.ts';

/** Throws when the tree has changes that are in no commit, or when its tag is another commit's. */
export function checkSource(root: string, { version }: Release): void {
  const changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' }).trim();
  if (changes !== '') throw new Error(`the tree has changes that are in no commit; commit or remove them first:\n${changes}`);
  const commitOf = (name: string) =>
    spawnSync('git', ['rev-parse', '--quiet', '--verify', `${name}^{commit}`], { cwd: root, encoding: 'utf8' }).stdout.trim();
  const tagged = commitOf(`refs/tags/v${version}`);
  if (tagged !== '' && tagged !== commitOf('HEAD')) {
    throw new Error(`v${version} is the tag of another commit (${tagged}): a version is released once; take the next one`);
  }
}

/** Throws when the registry has something of this version. */
export async function checkUnpublished(release: Release, access: Access): Promise<void> {
  for (const reference of Object.values(published(release))) {
    const digest = await digestOf(reference, access);
    if (digest !== undefined) throw new Error(`${reference} exists (${digest}): a version is released once; take the next one`);
  }
}
