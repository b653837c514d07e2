import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { qcow2Image } from '../helpers/qcow2-image.ts';
import type { Random } from '../hostile/random.ts';
import { NAMES } from '../soundness/places.ts';
import { spell, type SpellingTree } from '../soundness/references.ts';

/** Spellings that leave nothing behind when the disk goes. */
const SPELLINGS = ['absolute', 'relative', 'dotted', 'file', 'jsonNested', 'jsonFlat'] as const;
const BELOW = [[], [], ['a'], ['tenant', 'a', 'b', 'c']] as const;

/** Where the disk of a VM lies in its directory, and how it is backed by its base file: as in the layouts of test/soundness. */
export interface DiskLayout {
  /** Relative to the instance directory. */
  readonly path: string;
  readonly spelling: (typeof SPELLINGS)[number];
  /** Whether another image lies between the disk and the base file. */
  readonly hasMiddle: boolean;
}

/** Half of them are as Nova makes them. */
export function randomDisk(random: Random): DiskLayout {
  if (random.below(2) === 0) return { path: 'disk', spelling: 'absolute', hasMiddle: false };
  const path = join(...random.pick(BELOW), random.pick(Object.values(NAMES)));
  return { path, spelling: random.pick(SPELLINGS), hasMiddle: random.below(3) === 0 };
}

/** Writes the disk, last of all: with it the VM begins to need its base file. */
export function writeDisk(tree: SpellingTree, directory: string, layout: DiskLayout, base: string): string {
  const disk = join(directory, layout.path);
  mkdirSync(dirname(disk), { recursive: true });
  const image = (path: string, target: string, format: string): void => {
    const backingFile = spell(tree, { id: 0, spelling: layout.spelling }, path, { path: target, format });
    writeFileSync(path, qcow2Image({ backingFile, backingFormat: format }));
  };
  const middle = join(dirname(disk), 'middle.qcow2');
  if (layout.hasMiddle) image(middle, base, 'raw');
  // Relative, so that the directory may be renamed.
  if (layout.hasMiddle) writeFileSync(disk, qcow2Image({ backingFile: 'middle.qcow2', backingFormat: 'qcow2' }));
  else image(disk, base, 'raw');
  return disk;
}
