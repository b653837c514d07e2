import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
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

export interface Helper {
  readonly process: ChildProcess;
  /** The next line that it prints. */
  line(): Promise<string>;
  /** Ends its input, which ends it, and waits for that. */
  finish(): Promise<void>;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
}

/** Runs a program that answers line by line; it is killed when the test ends. */
export function startHelper(command: string, args: readonly string[]): Helper {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  return {
    process: child,
    async line() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${command} ended early`);
      return value;
    },
    async finish() {
      child.stdin.end();
      await ended;
    },
    kill,
  };
}
