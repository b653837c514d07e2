/** A real instances path: images that qemu-img made, owned as Nova and libvirt own them, with mtimes of days ago. */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, statSync, utimesSync, writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { output } from './command.ts';

/** Nova's user in Kolla's images. */
export const NOVA = 42436;
/** libvirt-qemu on Debian and Ubuntu: libvirt gives it the disks of running VMs. */
export const LIBVIRT_QEMU = 64055;
const DAY_MS = 86_400_000;

export function sha1(imageRef: string): string {
  return createHash('sha1').update(imageRef).digest('hex');
}

export interface BaseFileSpec {
  readonly name: string;
  /** Default: two days. */
  readonly ageDays?: number;
  /** Default: Nova's user. */
  readonly owner?: number;
  /** Default 0644. */
  readonly mode?: number;
  /** A raw image that takes so much, instead of a qcow2 image of 64 MiB without content. */
  readonly mebibytes?: number;
}

export class InstancesTree {
  readonly path: string;
  readonly #owner: number;

  /** `bare`: as on a node where Nova has never built an instance, without `_base` and `locks`. `owner`: Nova's user there. */
  constructor(path: string, { bare = false, owner = NOVA } = {}) {
    this.path = path;
    this.#owner = owner;
    for (const directory of bare ? [path] : [path, join(path, '_base'), join(path, 'locks')]) {
      mkdirSync(directory, { recursive: true });
      chmodSync(directory, 0o755);
      chownSync(directory, owner, owner);
    }
  }

  /** An image in `_base`. */
  async addBase({ name, ageDays = 2, owner = this.#owner, mode = 0o644, mebibytes }: BaseFileSpec): Promise<void> {
    const path = join(this.path, '_base', name);
    if (mebibytes === undefined) await output('qemu-img', ['create', '-q', '-f', 'qcow2', path, '64M']);
    else writeFileSync(path, Buffer.alloc(mebibytes * 2 ** 20, 1));
    this.#finish(path, ageDays, owner, mode);
  }

  /** Many of them cost nothing. */
  addEmpty(name: string): void {
    const path = join(this.path, '_base', name);
    writeFileSync(path, '');
    this.#finish(path, 2, this.#owner, 0o644);
  }

  /** Something in `_base` that is not an image of ours. */
  addForeign(name: string): void {
    const path = join(this.path, '_base', name);
    writeFileSync(path, 'not ours\n');
    this.#finish(path, 2, 0, 0o644);
  }

  /** An instance directory with a disk on a base file, as libvirt leaves it for a running VM: readable by QEMU alone. */
  async addInstance(name: string, baseName: string, { owner = LIBVIRT_QEMU, mode = 0o600 } = {}): Promise<void> {
    const directory = join(this.path, name);
    mkdirSync(directory);
    chownSync(directory, this.#owner, this.#owner);
    const disk = join(directory, 'disk');
    await output('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', join(this.path, '_base', baseName), disk]);
    this.#finish(disk, 0, owner, mode);
  }

  baseNames(): string[] {
    return readdirSync(join(this.path, '_base')).toSorted();
  }

  ageSeconds(baseName: string): number {
    return (Date.now() - statSync(join(this.path, '_base', baseName)).mtimeMs) / 1000;
  }

  #finish(path: string, ageDays: number, owner: number, mode: number): void {
    const then = (Date.now() - ageDays * DAY_MS) / 1000;
    chownSync(path, owner, owner);
    chmodSync(path, mode);
    utimesSync(path, then, then);
  }
}
