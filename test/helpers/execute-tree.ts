import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** An instances path on disk, removed when the test ends. */
export interface Tree {
  readonly instancesPath: string;
  readonly basePath: string;
  readonly locksPath: string;
}

export function makeTree(options: { readonly locks?: boolean } = {}): Tree {
  const instancesPath = mkdtempSync(join(tmpdir(), 'basekeeper-execute-'));
  onTestFinished(() => rmSync(instancesPath, { recursive: true, force: true }));
  const tree = { instancesPath, basePath: join(instancesPath, '_base'), locksPath: join(instancesPath, 'locks') };
  mkdirSync(tree.basePath);
  if (options.locks !== false) mkdirSync(tree.locksPath);
  return tree;
}

/** A file whose mtime is `modifiedAtMs`. */
export function putFile(path: string, modifiedAtMs: number, content: string | Uint8Array = 'base'): void {
  writeFileSync(path, content);
  utimesSync(path, modifiedAtMs / 1000, modifiedAtMs / 1000);
}

/** Numbers of the open descriptors of this process. */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').toSorted();
}

/** A program that answers line by line. */
export interface LineProgram {
  /** Sends one line and returns the next line that the program prints. */
  readonly ask: (line: string) => Promise<string>;
  /** The next line that it prints. */
  readonly answer: () => Promise<string>;
  /** SIGKILL, and waits for its end. */
  readonly kill: () => Promise<void>;
}

/** Runs a program that answers line by line; it is killed when the test ends. */
export function startProgram(command: string, args: readonly string[]): LineProgram {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'close');
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${command} ended early`);
    return value;
  };
  return {
    answer,
    async ask(line) {
      child.stdin.write(`${line}\n`);
      return await answer();
    },
    kill,
  };
}

/** Another process that takes locks as Nova does, or as `flock(1)` does; see lock-holder.py. */
export function startLockHolder(): LineProgram {
  return startProgram('/usr/bin/python3', [fileURLToPath(new URL('lock-holder.py', import.meta.url))]);
}

/**
 * Runs `work` without root's right to ignore file permissions. An ordinary user has none: nothing changes. Only synchronous
 * work and what it awaits on this thread is affected, so nothing else may run meanwhile.
 */
export async function withoutPrivileges<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return await work();
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** The user id of nobody on Debian and most others. */
export const NOBODY = 65_534;
