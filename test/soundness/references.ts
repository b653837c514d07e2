import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Part } from './layout.ts';
import type { SoundnessTree } from './tree.ts';

/** A file that others stand on, and the format by which they read it. */
export interface Target {
  readonly path: string;
  readonly format: string;
  /** How it is named where no spelling of its path will do. */
  readonly reference?: string;
}

/** What spellings are made in. */
export type SpellingTree = Pick<
  SoundnessTree,
  'root' | 'instances' | 'base' | 'locks' | 'outside' | 'traps' | 'directory' | 'link' | 'hardLink' | 'bindMount'
>;

/** How a part spells the name of `target` in an image that is opened as `from`; makes the links that the spelling needs. */
export function spell(tree: SpellingTree, part: Pick<Part, 'id' | 'spelling'>, from: string, { path: target, format }: Target): string {
  const name = `${part.id}-${basename(target).slice(0, 12)}.img`;
  return SPELLINGS[part.spelling]({ tree, from, target, format, name });
}

interface Reference {
  readonly tree: SpellingTree;
  readonly from: string;
  readonly target: string;
  readonly format: string;
  /** For links: not the last component of the target. */
  readonly name: string;
}

const SPELLINGS: Readonly<Record<Part['spelling'], (reference: Reference) => string>> = {
  absolute: ({ target }) => target,
  // The kernel follows the links of the directory before it goes up.
  relative: ({ tree, from, target }) => relative(realpathSync.native(tree.directory(dirname(from))), target),
  dotted: ({ tree, target }) => `${tree.locks}/.././/${relative(tree.instances, target)}`,
  file: ({ target }) => `file:${target}`,
  jsonNested: ({ target, format }) => `json:${JSON.stringify({ driver: format, file: { driver: 'file', filename: target } })}`,
  jsonFlat: ({ target }) => `json:${JSON.stringify({ 'file.filename': target })}`,
  alias({ tree, target, name }) {
    const alias = tree.link(join(tree.root, `alias-${name}`), tree.instances);
    return trap(tree, join(alias, relative(tree.instances, target)));
  },
  linkOut: ({ tree, target, name }) => trap(tree, tree.link(join(tree.outside, `ubuntu-${name}`), target)),
  linkIn: ({ tree, target, name }) =>
    tree.link(join(tree.instances, 'images', `ubuntu-${name}`), relative(join(tree.instances, 'images'), target)),
  linkInAbsolute: ({ tree, target, name }) => trap(tree, tree.link(join(tree.instances, 'images', `ubuntu-${name}`), target)),
  linkInBase: ({ tree, target, name }) => tree.link(join(tree.base, `ubuntu-${name}`), relative(tree.base, target)),
  jump({ tree, target, name }) {
    const jump = tree.link(join(tree.instances, `jump-${name}`), relative(tree.instances, tree.directory(join(tree.instances, 'deep/er'))));
    return trap(tree, `${jump}/../../${relative(tree.instances, target)}`);
  },
  hardLinkOut: ({ tree, target, name }) => trap(tree, tree.hardLink(join(tree.outside, `ubuntu-${name}`), target)),
  bindMount: ({ tree, target, name }) => tree.bindMount(join(tree.instances, 'images', `mounted-${name}`), target),
};

function trap(tree: SpellingTree, path: string): string {
  tree.traps.add(path);
  return path;
}
