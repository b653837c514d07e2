import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readMountTable } from '../../src/disk/mount-table.ts';
import { qemuImg } from '../helpers/qemu-img.ts';
import { sha } from './names.ts';
import { IMAGE_SIZE, offsetOfBackingFormat, UNKNOWN_EXTENSION, type Templates } from './images.ts';

export const DAY = 86_400;
/** Where an image begins that does not begin with its file. */
export const OFFSET = 65_536;

/** A base file that a pass may remove if nothing uses it. */
export interface Candidate {
  readonly path: string;
  /** The part that it was made for; undefined for what nothing depends on. */
  readonly part: number | undefined;
}

/** A directory in which a layout is built, with real images; each step is kept as a shell command. Paths are absolute, and the host's. */
export class SoundnessTree {
  readonly root: string;
  readonly #templates: Templates;
  readonly #commands: string[] = [];
  readonly #ages = new Map<string, number>();
  /** What qemu-img is asked about, by the paths under which it is opened. */
  readonly images = new Set<string>();
  /** Mount point → the file that is mounted there. */
  readonly mounts = new Map<string, string>();
  /** What a source names: as good as an image that is there. */
  readonly named = new Set<string>();
  readonly candidates: Candidate[] = [];
  /** Paths that may be the cause of a held pass. */
  readonly traps = new Set<string>();
  /** Files of the trash, and where each would be put back. */
  readonly restorable = new Map<string, string>();
  /** Directories that have another name while the pass runs, which is not UTF-8: qemu-img prints such names as others. */
  readonly rawNames = new Map<string, Buffer>();
  /** What does not belong to the user of the pass, with its mode. */
  readonly foreignOwned = new Map<string, number>();

  constructor(parent: string, templates: Templates) {
    this.root = mkdtempSync(join(parent, 'layout-'));
    this.#templates = templates;
    // The pass may run as another user.
    chmodSync(this.root, 0o755);
    for (const directory of [this.base, this.locks, this.outside]) this.directory(directory);
  }

  [Symbol.dispose](): void {
    // The tree may have been moved since.
    const points = this.mounts.size === 0 ? [] : readMountTable().map(({ mountPoint }) => mountPoint);
    for (const point of points) if (point.startsWith(`${this.root}/`)) execFileSync('umount', [point]);
    rmSync(this.root, { recursive: true, force: true });
  }

  get instances(): string {
    return join(this.root, 'host/instances');
  }
  get base(): string {
    return join(this.instances, '_base');
  }
  get trash(): string {
    return join(this.base, '.basekeeper-trash');
  }
  get locks(): string {
    return join(this.instances, 'locks');
  }
  get outside(): string {
    return join(this.root, 'outside');
  }

  directory(path: string): string {
    mkdirSync(path, { recursive: true });
    this.#log('mkdir', '-p', path);
    return path;
  }

  text(path: string, content: string): void {
    this.directory(dirname(path));
    writeFileSync(path, content);
    this.#commands.push(`printf %s ${this.#quoted(content)} > ${this.#quoted(path)}`);
  }

  /** An image that stands on nothing. */
  plain(path: string, format: string, ageSeconds = 3 * DAY): string {
    this.directory(dirname(path));
    this.#log('qemu-img', ...this.#templates.make(format, path));
    if (format !== 'raw') this.images.add(path);
    this.age(path, ageSeconds);
    return path;
  }

  /** An image that stands on `reference`; nothing is looked up, so that the reference may be any text. */
  overlay(path: string, reference: string, format: string, backingFormat: string, ageSeconds = 3 * DAY): string {
    this.directory(dirname(path));
    const [type, options] = format === 'qcow2v2' ? ['qcow2', ['-o', 'compat=0.10']] : [format === 'noFormat' ? 'qcow2' : format, []];
    const unsafe = type === 'vmdk' ? [] : ['-u'];
    const size = type === 'vmdk' ? [] : [IMAGE_SIZE];
    this.qemuImg('create', '-q', ...unsafe, '-f', type, ...options, '-F', backingFormat, '-b', reference, path, ...size);
    // qemu-img left the backing format out before 6.1; today it insists on one.
    if (format === 'noFormat') this.overwrite(path, offsetOfBackingFormat(path), UNKNOWN_EXTENSION);
    this.images.add(path);
    this.age(path, ageSeconds);
    return path;
  }

  overwrite(path: string, offset: number, bytes: Buffer): void {
    const fd = openSync(path, 'r+');
    writeSync(fd, bytes, 0, bytes.length, offset);
    closeSync(fd);
    this.#commands.push(`printf '${octalOf(bytes)}' | dd of=${this.#quoted(path)} bs=1 seek=${offset} conv=notrunc status=none`);
  }

  qemuImg(...args: string[]): void {
    qemuImg(args);
    this.#log('qemu-img', ...args);
  }

  link(path: string, target: string): string {
    this.directory(dirname(path));
    symlinkSync(target, path);
    this.#log('ln', '-s', target, path);
    return path;
  }

  hardLink(path: string, target: string): string {
    this.directory(dirname(path));
    linkSync(target, path);
    this.#log('ln', target, path);
    return path;
  }

  /** Gives a file one more name, as a mount. */
  bindMount(path: string, target: string): string {
    this.text(path, '');
    execFileSync('mount', ['--bind', target, path]);
    this.#log('mount', '--bind', target, path);
    this.mounts.set(path, target);
    return path;
  }

  /** Puts an image into another file, at an offset, or within an image of another format; nothing is left where it was. */
  enclose(image: string, path: string, how: 'offset' | 'within'): string {
    this.directory(dirname(path));
    if (how === 'within') this.qemuImg('convert', '-f', 'raw', '-O', 'vdi', image, path);
    else {
      const bytes = readFileSync(image);
      writeFileSync(path, Buffer.concat([Buffer.alloc(OFFSET), bytes, Buffer.alloc(-bytes.length & 511)]));
      this.#log('dd', `if=${image}`, `of=${path}`, `bs=${OFFSET}`, 'seek=1', 'status=none');
      this.#log('truncate', '-s', '%512', path);
    }
    rmSync(image);
    this.#log('rm', image);
    this.images.delete(image);
    this.#ages.delete(image);
    return path;
  }

  fifo(path: string): void {
    this.directory(dirname(path));
    execFileSync('mkfifo', [path]);
    this.#log('mkfifo', path);
  }

  /** Old files are not all equally old: which of them go first must not be chance. */
  age(path: string, seconds: number): void {
    this.#ages.set(path, seconds < DAY ? seconds : seconds + (Number.parseInt(sha(relative(this.root, path)).slice(0, 6), 16) % 3600));
  }

  candidate(path: string, part: number | undefined): string {
    this.candidates.push({ path, part });
    return path;
  }

  /** The last steps: owners, modes and times. */
  finish(owner: number | undefined, directories: readonly string[]): void {
    if (owner !== undefined) {
      execFileSync('chown', ['-R', '-h', String(owner), ...directories]);
      this.#log('chown', '-R', '-h', String(owner), ...directories);
      for (const [path, mode] of this.foreignOwned) {
        chownSync(path, 0, 0);
        chmodSync(path, mode);
        this.#log('chown', 'root', path);
        this.#log('chmod', mode.toString(8), path);
      }
    }
    const nowSeconds = Date.now() / 1000;
    for (const [path, seconds] of this.#ages) {
      lutimesSync(path, nowSeconds - seconds, nowSeconds - seconds);
      this.#log('touch', '-h', '-d', `${seconds} seconds ago`, path);
    }
  }

  move(from: string, to: string): void {
    this.directory(dirname(to));
    renameSync(from, to);
    this.#log('mv', from, to);
  }

  /** To the names in bytes, or back. */
  renameRaw(stage: 'pass' | 'host'): void {
    for (const [path, name] of this.rawNames) {
      const raw = Buffer.concat([Buffer.from(`${dirname(path)}/`), name]);
      if (stage === 'pass') renameSync(path, raw);
      else renameSync(raw, path);
      const word = `${this.#quoted(`${dirname(path)}/`)}"$(printf '${octalOf(name)}')"`;
      this.#commands.push(stage === 'pass' ? `mv ${this.#quoted(path)} ${word}` : `mv ${word} ${this.#quoted(path)}`);
    }
  }

  /** A shell script that builds the same tree in a directory of its own. */
  recipe(): string {
    return ['W=$(mktemp -d)', 'chmod 755 "$W"', ...new Set(this.#commands)].join('\n');
  }

  #log(...words: string[]): void {
    this.#commands.push(words.map((word) => this.#quoted(word)).join(' '));
  }

  /** A word of a shell command, with the root of the tree as `$W`. */
  #quoted(word: string): string {
    if (/^[\w@%+=:,./-]+$/.test(word) && !word.includes(this.root)) return word;
    return word
      .split(this.root)
      .map((piece) => (piece === '' ? '' : `'${piece.replaceAll("'", "'\\''")}'`))
      .join('"$W"');
  }
}

function octalOf(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
