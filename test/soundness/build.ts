import { dirname, join } from 'node:path';
import type { Part, Layout } from './layout.ts';
import { buildExtra } from './extras.ts';
import { FORMATS, type Templates } from './images.ts';
import { sha } from './names.ts';
import { inTrash, placeOf, uuidOf, type Site } from './places.ts';
import { spell, type Target } from './references.ts';
import { Evidence } from './evidence.ts';
import { DAY, OFFSET, SoundnessTree } from './tree.ts';

/** A layout as files: where it lies and what the pass is given. */
export interface Built {
  readonly tree: SoundnessTree;
  readonly evidence: Evidence;
}

/** Builds the layout with real images. */
export function build(layout: Layout, parent: string, templates: Templates): Built {
  const tree = new SoundnessTree(parent, templates);
  try {
    const evidence = new Evidence(tree);
    tree.candidate(tree.plain(join(tree.base, sha('unused')), 'raw'), undefined);
    tree.candidate(tree.plain(join(tree.base, `${sha('unused')}_1073741824`), 'raw'), undefined);
    tree.plain(join(tree.base, sha('young')), 'raw', 120);
    for (const part of layout.parts) new PartBuilder(tree, evidence, part).build();
    for (const extra of layout.extras) buildExtra(extra, tree, evidence);
    evidence.write(layout.world);
    return { tree, evidence };
  } catch (error) {
    tree[Symbol.dispose]();
    throw error;
  }
}

class PartBuilder {
  readonly #tree: SoundnessTree;
  readonly #evidence: Evidence;
  readonly #part: Part;

  constructor(tree: SoundnessTree, evidence: Evidence, part: Part) {
    this.#tree = tree;
    this.#evidence = evidence;
    this.#part = part;
  }

  build(): void {
    const part = this.#part;
    const base = this.#baseFile();
    const opened = part.place === 'none' ? base.path : this.#image(base);
    if (part.namedBy !== 'nobody') this.#evidence.name(opened, part.namedBy, uuidOf(part));
    if (part.also !== 'nobody') this.#evidence.nameAlso(opened, part.also, uuidOf(part), part.namedBy);
  }

  /** The base file, with what it stands on. */
  #baseFile(): Target {
    const { id, baseKind, baseFormat, below } = this.#part;
    const tree = this.#tree;
    let lower: Target | undefined;
    for (let level = 0; level < { none: 0, one: 1, three: 3 }[below]; level++) {
      const path = tree.candidate(join(tree.base, sha(`below-${id}-${level}`)), id);
      lower = lower === undefined ? { path: tree.plain(path, 'raw'), format: 'raw' } : this.#overlay(path, path, lower);
    }
    const trashed = inTrash(tree, `base-${id}`, 10 * DAY);
    const path = tree.candidate(
      baseKind === 'trashed' ? trashed : join(tree.base, this.#baseName()),
      baseKind === 'twoNames' ? undefined : id,
    );
    if (lower !== undefined) return this.#overlay(path, path, lower);
    const format = FORMATS[baseFormat]?.format ?? 'raw';
    tree.plain(path, baseFormat);
    if (!baseKind.startsWith('twoNames')) return { path, format };
    tree.candidate(tree.hardLink(trashed, path), baseKind === 'twoNames' ? id : undefined);
    return { path: baseKind === 'twoNames' ? trashed : path, format };
  }

  #baseName(): string {
    const { id, baseKind } = this.#part;
    const digest = sha(`base-${id}`);
    if (baseKind === 'resized') return `${digest}_10737418240`;
    if (baseKind === 'legacy') return `${digest}_sm`;
    if (baseKind === 'ephemeral') return `ephemeral_${20 + id}_${digest.slice(0, 7)}`;
    return baseKind === 'swap' ? `swap_${512 + id}` : digest;
  }

  #overlay(path: string, openedAs: string, target: Target, format = 'qcow2', ageSeconds = 3 * DAY): Target {
    const reference = target.reference ?? spell(this.#tree, this.#part, openedAs, target);
    this.#tree.overlay(path, reference, format, target.format, ageSeconds);
    return { path, format: ['qcow2v2', 'noFormat'].includes(format) ? 'qcow2' : format };
  }

  /** Returns the path by which the image is opened. */
  #image(base: Target): string {
    const site = placeOf(this.#tree, this.#evidence, this.#part);
    this.#stander(this.#middles(base, dirname(site.openedAs)), site);
    return site.openedAs;
  }

  /** Images between the stander and the base file. */
  #middles(base: Target, beside: string): Target {
    const { id, middle, middleNamed, depth } = this.#part;
    if (middle === 'none') return base;
    if (middle === 'offset' || middle === 'within') return this.#enclosed(base, middle);
    const tree = this.#tree;
    let below = base;
    for (let level = 0; level < { one: 1, two: 2, four: 4 }[depth]; level++) {
      const name = `mid-${id}-${level}.qcow2`;
      const path = {
        beside: join(beside, name),
        other: join(tree.instances, `other-${id}`, name),
        nested: join(tree.instances, `pool-${id}/a/b`, name),
        baseForeign: join(tree.base, name),
        baseUnused: join(tree.base, sha(name)),
        outside: join(tree.outside, 'middles', name),
      }[middle];
      if (middle === 'baseUnused') tree.candidate(path, id);
      if (middle === 'outside') tree.traps.add(path);
      below = this.#overlay(path, path, below);
    }
    if (middleNamed !== 'nobody') this.#evidence.name(below.path, middleNamed, uuidOf(this.#part).replace('0000', 'cccc'));
    return below;
  }

  /** An image on the base file, in another file. */
  #enclosed(base: Target, how: 'offset' | 'within'): Target {
    const { id } = this.#part;
    const tree = this.#tree;
    const inner = join(tree.outside, `inner-${id}`);
    const path = join(tree.instances, `other-${id}`, 'container');
    this.#overlay(inner, inner, base);
    tree.enclose(inner, path, how);
    return { path, format: 'qcow2', reference: encloseReference(path, how) };
  }

  #stander(target: Target, { path, openedAs }: Site): void {
    const { declared, diskInfo, format, keeper, place } = this.#part;
    const tree = this.#tree;
    const age = place === 'base' && keeper === 'young' ? 60 : 3 * DAY;
    if (format === 'dataFile') {
      tree.directory(join(path, '..'));
      tree.qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${target.path},data_file_raw=on`, path, '1M');
      tree.images.add(path);
      tree.age(path, age);
    } else if (format === 'vmdkExtent') {
      tree.text(path, vmdkDescriptor(spell(tree, this.#part, openedAs, target)));
      tree.images.add(path);
      tree.age(path, age);
    } else this.#overlay(path, openedAs, { ...target, ...(declared === 'raw' ? { format: 'raw' } : {}) }, format, age);
    if (diskInfo !== 'none') tree.text(join(dirname(path), 'disk.info'), JSON.stringify(DISK_INFOS[diskInfo](openedAs)));
    if (place === 'slice') {
      tree.enclose(path, openedAs, 'offset');
      tree.images.add(encloseReference(openedAs, 'offset'));
      this.#evidence.slice(openedAs, OFFSET, uuidOf(this.#part));
    }
    if (place !== 'trash') tree.images.add(openedAs);
    this.#hide(path);
  }

  #hide(path: string): void {
    const { mode } = this.#part;
    if (mode === 'readable') return;
    const hidden = mode === 'file' ? path : join(path, '..');
    this.#tree.foreignOwned.set(hidden, mode === 'file' ? 0o600 : 0o700);
    this.#tree.traps.add(hidden);
  }
}

const DISK_INFOS = {
  raw: (path: string) => ({ [path]: 'raw' }),
  qcow2: (path: string) => ({ [path]: 'qcow2' }),
  // Nova goes by the last name.
  both: (path: string) => ({ [`/old${path}`]: 'qcow2', [path]: 'raw' }),
} as const;

/** How QEMU opens an image that lies in another file. */
function encloseReference(path: string, how: 'offset' | 'within'): string {
  const file = { driver: 'file', filename: path };
  const layer = how === 'offset' ? { driver: 'raw', offset: OFFSET, file } : { driver: 'vdi', file };
  return `json:${JSON.stringify({ driver: 'qcow2', file: layer })}`;
}

/** A disk whose bytes lie in another file. */
function vmdkDescriptor(extent: string): string {
  const head = ['# Disk DescriptorFile', 'version=1', 'CID=12345678', 'parentCID=ffffffff', 'createType="monolithicFlat"'];
  return [...head, '', `RW 2048 FLAT "${extent}" 0`, '', 'ddb.virtualHWVersion = "4"', 'ddb.adapterType = "ide"', ''].join('\n');
}
