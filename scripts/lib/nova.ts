/** Releases of Nova from PyPI, installed once into the user's cache: what `npm run parity -- --nova VERSION` compares with. */
import { execFileSync } from 'node:child_process';
import { globSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, holdingDirectory } from './cache.ts';
import { type Announce, announceOnStderr, runLines, which } from './run.ts';

/** Nova with all that it needs, or its files alone: those are there in seconds. */
export type NovaParts = 'whole' | 'files';

export interface InstalledNova {
  readonly version: string;
  /** The directory of the package `nova`. */
  readonly directory: string;
  /** A Python of its own; with `whole`, it can import Nova. */
  readonly python: string;
}

/** The Python that Nova's newest releases are tested with. */
const PYTHON = '3.12';

/** Installs this release, unless it is there already. Throws an error that says what is missing. */
export async function ensureNova(version: string, parts: NovaParts, announce: Announce = announceOnStderr): Promise<InstalledNova> {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`--nova ${version}: name a release such as 34.0.0, or "newest"`);
  const python = pythonFor(process.env);
  const root = cacheDirectory(process.env, 'nova', `${version}-${parts}`);
  const environment = join(root, 'environment');
  const found = () => globSync(`${environment}/lib/python*/site-packages/nova`)[0];
  const wait = () => {
    announce(`Another run is installing Nova ${version}; waiting for it.`);
  };
  await holdingDirectory(root, wait, async () => {
    if (found() !== undefined) return;
    announce(`Installing Nova ${version} from PyPI into ${root} (once; ${parts === 'whole' ? 'a minute, 400 MB' : 'some seconds'})`);
    await install(version, parts, python, environment);
  });
  const directory = found();
  if (directory === undefined) throw new Error(`Nova ${version} is not where pip was to install it; remove ${root} and try again`);
  return { version, directory, python: join(environment, 'bin', 'python') };
}

/** The newest release on PyPI. */
export function newestNova(): string {
  const printed = execFileSync(pythonFor(process.env), ['-m', 'pip', 'index', 'versions', 'nova'], { encoding: 'utf8' });
  const [, version] = /^nova \((\d+\.\d+\.\d+)\)/.exec(printed) ?? [];
  if (version === undefined) throw new Error(`pip says nothing of Nova's newest release: ${printed.slice(0, 200)}`);
  return version;
}

async function install(version: string, parts: NovaParts, python: string, environment: string): Promise<void> {
  rmSync(environment, { recursive: true, force: true });
  const quiet = { onLine: () => {} };
  try {
    // Scripts of an environment name its path: it is made where it stays, and taken away again when it cannot be completed.
    await runLines(python, ['-m', 'venv', environment], quiet);
    const pip = ['-m', 'pip', 'install', '--quiet', ...(parts === 'files' ? ['--no-deps'] : []), `nova==${version}`];
    await runLines(join(environment, 'bin', 'python'), pip, quiet);
  } catch (error) {
    rmSync(environment, { recursive: true, force: true });
    throw error;
  }
}

/** `PYTHON`, or the first Python of the version wanted that starts: a shim of pyenv may be on PATH and refuse. */
export function pythonFor(env: NodeJS.ProcessEnv): string {
  const given = env['PYTHON'] ?? '';
  const candidates = [
    ...(given === '' ? [] : [given]),
    ...[which(`python${PYTHON}`, env['PATH'])].filter((it) => it !== undefined),
    ...globSync(join(env['HOME'] ?? homedir(), `.pyenv/versions/${PYTHON}.*/bin/python${PYTHON}`)),
  ];
  const found = candidates.find((it) => versionOf(it) === PYTHON);
  if (found !== undefined) return found;
  throw new Error(`Nova from PyPI needs Python ${PYTHON}: install it (with venv), or name it by PYTHON=/path/to/python${PYTHON}.`);
}

function versionOf(python: string): string | undefined {
  try {
    const program = 'import sys; print("%d.%d" % sys.version_info[:2])';
    return execFileSync(python, ['-c', program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
