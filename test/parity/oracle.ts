import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { hexOf, nameOfHex, type ByteName } from './names.ts';
import { NOW_MS, type Entry, type Tree } from './tree-spec.ts';

/** The Python that Debian's python3-nova belongs to; a python from elsewhere does not see the package. */
export const SYSTEM_PYTHON = '/usr/bin/python3';
const SUBDIRECTORY = '_base';

export type EntryType = Entry['type'];

/** What lies below an instances path: relative path → type and mtime. */
export type Listing = ReadonlyMap<string, { readonly type: EntryType; readonly modifiedAtNs: bigint }>;

/** One pass of the real Nova, file names as bytes. */
export interface NovaAnswer {
  /** Why the pass ended early, or null. */
  readonly aborted: string | null;
  readonly active: readonly ByteName[];
  readonly removable: readonly ByteName[];
  readonly unknown: readonly ByteName[];
  readonly unexplainedBacking: readonly (readonly [ByteName, ByteName])[];
  readonly missingSwap: readonly ByteName[];
  readonly missingEphemeral: readonly ByteName[];
  readonly removalFailures: readonly ByteName[];
  readonly diskUsage: number;
  readonly diskUsageAfter: number;
  readonly qemuImg: { readonly run: number; readonly remembered: number };
}

/** Known faults of Nova that can be fixed for a run. */
export interface NovaRepair {
  /** Find all base files of an image before the first is marked as used; Nova itself skips some then. */
  readonly listBaseFilesFirst?: boolean;
}

function entryMessage(entry: Entry): object {
  return { ...entry, name: hexOf(entry.name), target: hexOf(entry.target), mtimeMs: NOW_MS - entry.ageMs };
}

function treeMessage(tree: Tree): object {
  return {
    baseExists: tree.baseExists,
    locksExist: tree.locksExist,
    base: tree.base.map((entry) => entryMessage(entry)),
    directories: tree.directories.map(({ name, link, entries }) => ({
      name: hexOf(name),
      link,
      entries: entries.map((entry) => entryMessage(entry)),
    })),
    locks: tree.locks.map((name) => hexOf(name)),
  };
}

/** The real Nova in a process of its own; answers come in the order of the questions. */
export class Oracle implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: { resolve: (line: string) => void; reject: (reason: Error) => void }[] = [];
  #stderr = '';
  #closing = false;

  /** `python`: one that can import a Nova. */
  constructor(python = SYSTEM_PYTHON) {
    this.#process = spawn(python, [new URL('oracle.py', import.meta.url).pathname], { stdio: 'pipe' });
    this.#process.stderr.on('data', (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString()).slice(-4000)));
    this.#process.on('error', (error) => this.#fail(error));
    this.#process.on('exit', (code) => this.#fail(new Error(`the oracle ended with code ${code}: ${this.#stderr}`)));
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#waiting.shift()?.resolve(line));
  }

  #fail(error: Error): void {
    if (this.#closing) return;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async #ask(message: object): Promise<unknown> {
    const line = await new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#process.stdin.write(`${JSON.stringify(message)}\n`);
    });
    return JSON.parse(line);
  }

  /** Writes the same tree below each of `roots`, which must not exist. */
  async write(tree: Tree, roots: readonly string[]): Promise<void> {
    await this.#ask({ operation: 'write', roots, tree: treeMessage(tree), subdirectory: SUBDIRECTORY });
  }

  async describe(root: string): Promise<Listing> {
    const found = (await this.#ask({ operation: 'describe', root, subdirectory: SUBDIRECTORY })) as Record<string, [EntryType, string]>;
    const path = (key: string): string => key.split('/').map(nameOfHex).join('/');
    return new Map(Object.entries(found).map(([key, [type, ns]]) => [path(key), { type, modifiedAtNs: BigInt(ns) }]));
  }

  async run(tree: Tree, root: string, { listBaseFilesFirst = false }: NovaRepair = {}): Promise<NovaAnswer> {
    const answer = (await this.#ask({
      operation: 'run',
      instancesPath: root,
      nowMs: NOW_MS,
      subdirectory: SUBDIRECTORY,
      listBaseFilesFirst,
      removeUnused: tree.removeUnused,
      originalMinimumAge: tree.originalMinimumAgeSeconds,
      resizedMinimumAge: tree.resizedMinimumAgeSeconds,
      instances: tree.instances,
    })) as NovaAnswer;
    const names = (hexes: readonly string[]): ByteName[] => hexes.map(nameOfHex);
    return {
      ...answer,
      active: names(answer.active),
      removable: names(answer.removable),
      unknown: names(answer.unknown),
      unexplainedBacking: answer.unexplainedBacking.map(([instance, file]) => [nameOfHex(instance), nameOfHex(file)] as const),
      missingSwap: names(answer.missingSwap),
      missingEphemeral: names(answer.missingEphemeral),
      removalFailures: names(answer.removalFailures),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}
