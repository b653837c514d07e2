import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../scripts/chart/generated.ts';
import { imageBundle, sha256 } from '../../../scripts/release/files.ts';
import { versionsIn } from '../../../scripts/release/release.ts';

const VERSION = versionsIn('./')['package.json'] ?? '';
/** All that a release is built from. */
const SOURCES = [
  'src',
  'scripts',
  'charts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'CHANGELOG.md',
  'LICENSE',
  ...packages(),
];

/** The directories of the packages that the build reads: those that ship, and the bundler. */
function packages(): string[] {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, { dev?: boolean; optional?: boolean }> };
  const shipped = Object.entries(lock.packages).filter(
    ([path, { dev, optional }]) => /esbuild/.test(path) || (path !== '' && !dev && !optional),
  );
  return shipped.map(([path]) => path).filter((path) => existsSync(path));
}

/** to JavaScript the year is 2031. */
const LATER =
  'data:text/javascript,const now=Date.now;Date.now=()=>now()+16e10;globalThis.Date=class extends Date{constructor(...a){super(...(a.length?a:[Date.now()]))}}';

function copyTree(directory: string, names = SOURCES): string {
  for (const name of names) cpSync(name, join(directory, name), { recursive: true });
  return directory;
}

/** Makes the files of a release in a copy of the tree and returns them by name. */
function build(
  directory: string,
  umask = '0022',
  env: NodeJS.ProcessEnv = {},
  nodeOptions: readonly string[] = [],
): ReadonlyMap<string, string> {
  const options = ['--files-only', `--version=${VERSION}`, '--registry=r.example/x', '--source=https://s.example'];
  const command = [process.execPath, ...nodeOptions, join(directory, 'scripts', 'release.ts'), ...options];
  const { status, stderr } = spawnSync('sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', ...command], {
    encoding: 'utf8',
    cwd: '/',
    env: { ...process.env, SOURCE_DATE_EPOCH: '1764165600', ...env },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const out = join(directory, '.release');
  return new Map(
    readdirSync(out)
      .toSorted()
      .map((name) => [name, readFileSync(join(out, name), 'latin1')]),
  );
}

function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  expect([...after.keys()]).toEqual([...before.keys()]);
  return [...before].filter(([name, content]) => after.get(name) !== content).map(([name]) => name);
}

describe('the files of a release', () => {
  it('should be the same bytes in another directory, time zone, umask and year, and others of another source', () => {
    using one = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-a-'));
    using other = mkdtempDisposableSync(join(tmpdir(), 'basekeeper another, with a longer name-'));
    const first = build(copyTree(one.path));
    expect(first.size).toBe(8);
    expect(changed(first, build(copyTree(other.path), '0077', { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' }, ['--import', LATER]))).toEqual([]);

    const entry = join(one.path, 'src', 'bin', 'kubectl-basekeeper.ts');
    writeFileSync(entry, `${readFileSync(entry, 'utf8')}\nconsole.log('one more line');\n`);
    expect(changed(first, build(one.path))).toEqual(['SHA256SUMS', 'krew.yaml', `kubectl-basekeeper-${VERSION}.tar.gz`]);
  });

  it('should need of the project what the Dockerfile copies, and nothing else', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-context-'));
    const context = readFileSync('.dockerignore', 'utf8').matchAll(/^!(.+)$/gm);
    copyTree(directory.path, [...packages(), ...[...context].map(([, name = '']) => name)]);
    const sums = (root: string) => [...imageBundle(root, 'amd64').bundle].map(([name, content]) => `${name} ${sha256(content)}`);
    expect(sums(`${directory.path}/`)).toEqual(sums(ROOT));
  });
});
