import { join, relative } from 'node:path';
import type { Evidence } from './evidence.ts';
import type { Part } from './layout.ts';
import { sha } from './names.ts';
import { DAY, type SoundnessTree } from './tree.ts';

/** Where an image lies, and the path by which it is opened. */
export interface Site {
  readonly path: string;
  readonly openedAs: string;
}

export const NAMES: Readonly<Record<Part['name'], string>> = {
  disk: 'disk',
  eph: 'disk.eph0',
  config: 'disk.config',
  root: 'root.qcow2',
  snap: 'snap-1',
  delta: '5f0e2c9a.delta',
  hidden: '.root.tmp',
  blank: 'my disk (1).img',
  strange: 'line\nend "x".img',
};

interface Setting {
  readonly tree: SoundnessTree;
  readonly evidence: Evidence;
  readonly part: Part;
  /** Of the instance. */
  readonly directory: string;
  readonly name: string;
}

/** Where the image of a part lies; makes the links that lead there, and the reason why it stays. */
export function placeOf(tree: SoundnessTree, evidence: Evidence, part: Part): Site {
  const name = NAMES[part.name];
  return PLACES[part.place]({ tree, evidence, part, directory: join(tree.instances, uuidOf(part)), name });
}

export function uuidOf({ id }: Part): string {
  return `${String(id).padStart(8, '0')}-1111-4222-8333-444455556666`;
}

/** The path of a file in the trash. */
export function inTrash(tree: SoundnessTree, text: string, agoSeconds: number): string {
  return join(tree.trash, `${sha(text)}.${Date.now() - agoSeconds * 1000}`);
}

const PLACES: Readonly<Record<Part['place'], (setting: Setting) => Site>> = {
  instance: ({ directory, name }) => at(directory, name),
  resize: ({ directory, name }) => at(`${directory}_resize`, name),
  del: ({ directory, name }) => at(`${directory}_del`, name),
  top: ({ tree, part, name }) => at(tree.instances, `vm-${part.id}-${name}`),
  nested2: ({ tree, part, name }) => at(tree.instances, `tenant-${part.id}`, 'vm', name),
  nested4: ({ tree, part, name }) => at(tree.instances, `tenant-${part.id}`, 'a/b/vm', name),
  nested6: ({ tree, part, name }) => at(tree.instances, `tenant-${part.id}`, 'a/b/c/d/vm', name),
  linkedIn({ tree, part, directory, name }) {
    tree.link(directory, `real-${part.id}/deep`);
    return at(tree.directory(join(tree.instances, `real-${part.id}`, 'deep')), name);
  },
  linkedOut({ tree, part, directory, name }) {
    tree.traps.add(tree.link(directory, tree.directory(join(tree.outside, uuidOf(part)))));
    return at(directory, name);
  },
  fileLinkIn({ tree, part, directory, name }) {
    // Deeper than the link: relative names count from the link, and mean something else from here.
    const path = join(tree.instances, `store-${part.id}`, 'deep', 'image');
    return { path, openedAs: tree.link(join(directory, name), relative(directory, path)) };
  },
  fileLinkOut({ tree, part, directory, name }) {
    const path = join(tree.outside, `store-${part.id}`, 'image');
    const openedAs = tree.link(join(directory, name), path);
    tree.traps.add(openedAs);
    return { path, openedAs };
  },
  outside({ tree, part, name }) {
    const path = join(tree.outside, `disks-${part.id}`, name);
    tree.traps.add(path);
    return at(path);
  },
  baseSub: ({ tree, part, name }) => at(tree.base, `backup-${part.id}`, name),
  slice: ({ tree, part, directory, name }) => ({ path: join(tree.outside, `inner-${part.id}`), openedAs: join(directory, name) }),
  locks: ({ tree, part }) => at(tree.locks, `vm-${part.id}.qcow2`),
  base: keptInBase,
  trash({ tree, part }) {
    const path = inTrash(tree, `kept-${part.id}`, DAY / 24);
    const openedAs = join(tree.base, sha(`kept-${part.id}`));
    tree.restorable.set(path, openedAs);
    return { path, openedAs };
  },
  none: () => {
    throw new Error('a part without an image has no place');
  },
};

function keptInBase({ tree, evidence, part, name }: Setting): Site {
  const ref = `kept-${part.id}`;
  const { keeper } = part;
  if (keeper === 'foreign') return at(tree.base, `${part.id}-${name}`);
  if (keeper === 'workload' || keeper === 'workloadResized') evidence.workload(ref);
  if (keeper === 'pinnedRef') evidence.pinnedRefs.push(ref);
  if (keeper === 'pinnedName') evidence.pinnedNames.push(sha(ref));
  return at(tree.base, keeper === 'workloadResized' ? `${sha(ref)}_2147483648` : sha(ref));
}

function at(...names: string[]): Site {
  return { path: join(...names), openedAs: join(...names) };
}
