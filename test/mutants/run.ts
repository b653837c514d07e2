import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { occurrences, type Mutant } from './mutant.ts';

/** What the tests need of the project. */
const COPIED = ['src', 'test', 'scripts', 'bench', 'package.json', 'tsconfig.json', 'vitest.config.ts', 'LICENSE'];
/** For a file of tests that hangs, not for slow ones. */
const FILE_LIMIT_MS = 600_000;

export type Verdict =
  /** A test failed: which. */
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'survived' }
  /** No test came to judge: the snippet does not match, or the mutant is not a program. */
  | { readonly kind: 'broken'; readonly why: string };

interface RunOptions {
  readonly report: string;
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A copy of the working tree that mutants are tried in, one at a time. */
export class Workshop implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'basekeeper-mutants-'));
  #runs = 0;

  constructor() {
    for (const name of COPIED) cpSync(name, join(this.#directory, name), { recursive: true });
    // Agents of tests that run as another user read their program here.
    chmodSync(this.#directory, 0o755);
    symlinkSync(resolve('node_modules'), join(this.#directory, 'node_modules'));
  }

  /** Runs test files on the tree as it is; the name of a test that failed, or undefined when all passed. */
  async firstFailure(tests: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    const name = `run-${this.#runs++}`;
    const projects = [...new Set(tests.map((path) => path.split('/')[1]))].flatMap((project) => ['--project', project ?? '']);
    // One file after the other: a failure in one must not be lost because it stopped the others.
    const options = ['--bail', '1', '--no-file-parallelism'];
    const args = ['node_modules/vitest/vitest.mjs', 'run', ...options, ...projects, ...tests];
    const output = await this.#node(args, { report: name, limitMs: tests.length * FILE_LIMIT_MS, signal });
    return failureIn(join(this.#directory, '.test-results', `${name}.json`), output);
  }

  async try(mutant: Mutant, signal?: AbortSignal): Promise<Verdict> {
    const path = join(this.#directory, mutant.file);
    const original = readFileSync(path, 'utf8');
    const matches = occurrences(original, mutant);
    if (matches !== 1) return { kind: 'broken', why: `its snippet occurs ${matches} times in ${mutant.file}` };
    writeFileSync(
      path,
      original.replace(mutant.from, () => mutant.to),
    );
    try {
      const by = await this.firstFailure(mutant.tests, signal);
      return by === undefined ? { kind: 'survived' } : { kind: 'killed', by };
    } catch (error) {
      if (!(error instanceof NoVerdictError)) throw error;
      return { kind: 'broken', why: error.message };
    } finally {
      writeFileSync(path, original);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** In a process group of its own: what hangs is ended with all that it started. */
  async #node(args: readonly string[], { report, limitMs, signal }: RunOptions): Promise<string> {
    const env = { ...process.env, TEST_REPORT: report };
    const child = spawn(process.execPath, args, { cwd: this.#directory, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(end, limitMs);
    signal?.addEventListener('abort', end, { once: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = `${output}${String(chunk)}`.slice(-4000)));
    await once(child, 'close');
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
    return output;
  }
}

/** The run says nothing about the tree. */
class NoVerdictError extends Error {
  override readonly name = 'NoVerdictError';
}

interface Report {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function failureIn(path: string, output: string): string | undefined {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch (error) {
    throw new NoVerdictError(`the tests left no report: ${output.trim().slice(-500)}`, { cause: error });
  }
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = results.find(({ status }) => status === 'failed');
  if (failed !== undefined) return failed.fullName;
  if (report.success && results.length > 0) return undefined;
  const messages = report.testResults.map(({ message }) => message).filter((message) => message !== '');
  throw new NoVerdictError(`no test failed, but the run did: ${messages.join('; ').slice(0, 500) || output.trim().slice(-500)}`);
}
