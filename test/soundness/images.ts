import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { qemuImg } from '../helpers/qemu-img.ts';

/** Formats of base files, as `qemu-img create` is asked for them, and what an overlay calls them. */
export const FORMATS: Readonly<Record<string, { readonly create: readonly string[]; readonly format: string; readonly alone?: false }>> = {
  raw: { create: [], format: 'raw' },
  qcow2: { create: ['-f', 'qcow2'], format: 'qcow2' },
  vmdk: { create: ['-f', 'vmdk', '-o', 'subformat=monolithicSparse'], format: 'vmdk' },
  vmdkStream: { create: ['-f', 'vmdk', '-o', 'subformat=streamOptimized'], format: 'vmdk' },
  // Two files that name each other: no template can be copied.
  vmdkFlat: { create: ['-f', 'vmdk', '-o', 'subformat=monolithicFlat'], format: 'vmdk', alone: false },
  vpc: { create: ['-f', 'vpc'], format: 'vpc' },
  vdi: { create: ['-f', 'vdi'], format: 'vdi' },
  vhdx: { create: ['-f', 'vhdx'], format: 'vhdx' },
  luks: { create: ['-f', 'luks', '--object', 'secret,id=s,data=x', '-o', 'key-secret=s,iter-time=10'], format: 'luks' },
  qed: { create: ['-f', 'qed'], format: 'qed' },
  parallels: { create: ['-f', 'parallels'], format: 'parallels' },
};

export const IMAGE_SIZE = '1M';

/** Images that stand on nothing are made once by qemu-img and copied: a run needs thousands. */
export class Templates {
  readonly #directory: string;

  constructor(parent: string) {
    this.#directory = mkdtempSync(join(parent, 'templates-'));
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Makes the image at `path`; returns the command that would. */
  make(format: string, path: string): readonly string[] {
    const spec = FORMATS[format];
    if (spec === undefined) throw new Error(`no format ${format}`);
    const command = ['create', '-q', ...(format === 'raw' ? ['-f', 'raw'] : spec.create), path, IMAGE_SIZE];
    if (format === 'raw') {
      writeFileSync(path, 'base');
      truncateSync(path, 2 ** 20);
    } else if (spec.alone === false) qemuImg(command);
    else {
      const template = join(this.#directory, format);
      if (!existsSync(template)) qemuImg(['create', '-q', ...spec.create, template, IMAGE_SIZE]);
      copyFileSync(template, path);
    }
    return command;
  }
}

/** Type of the header extension that names the backing format. */
const BACKING_FORMAT = Buffer.from([0xe2, 0x79, 0x2a, 0xca]);
/** A type that no version of QEMU knows: readers skip it. */
export const UNKNOWN_EXTENSION = Buffer.from([0x11, 0x22, 0x33, 0x44]);

/** Where a qcow2 header says that its backing format follows. */
export function offsetOfBackingFormat(path: string): number {
  const offset = readFileSync(path).indexOf(BACKING_FORMAT);
  if (offset < 0 || offset > 4096) throw new Error(`${path} names no backing format`);
  return offset;
}
