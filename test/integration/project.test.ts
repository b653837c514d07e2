import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempDisposableSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly hasInstallScript?: boolean;
}
interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly scripts: Readonly<Record<string, string>>;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

const manifest = readJson('package.json') as Manifest;
const documents = [...globSync('*.md'), ...globSync('docs/**/*.md')];

describe('dependencies', () => {
  it('should be pinned exactly', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('should run no install script: what has one is named and refused', () => {
    const { packages } = readJson('package-lock.json') as { readonly packages: Readonly<Record<string, LockedPackage>> };
    const scripted = Object.entries(packages).filter(([path, { hasInstallScript }]) => path !== '' && hasInstallScript === true);
    const names = scripted.map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`);
    expect(names.filter((name) => manifest.allowScripts[name] !== false)).toEqual([]);
    expect(Object.values(manifest.allowScripts)).not.toContain(true);
  });

  it('should need no install script: esbuild builds as its packages come, without what its own would put in place', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-esbuild-'));
    const modules = join(directory.path, 'node_modules');
    for (const name of ['esbuild', '@esbuild']) cpSync(join('node_modules', name), join(modules, name), { recursive: true });
    rmSync(join(modules, 'esbuild', 'bin'), { recursive: true });
    const program = "process.stdout.write(require('esbuild').transformSync('let a: number = 1', { loader: 'ts' }).code)";
    expect(execFileSync(process.execPath, ['-e', program], { cwd: directory.path, encoding: 'utf8' })).toBe('let a = 1;\n');
  });
});

describe('documents', () => {
  it('should link to files that exist', () => {
    const links = documents.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => ({
        path,
        target: join(dirname(path), target),
      })),
    );
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter(({ target }) => !existsSync(target))).toEqual([]);
  });

  it('should name source files that exist', () => {
    const named = documents.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/`((?:src|test|scripts|docs|charts|manifests)\/[\w./-]+)/g)].map(([, target = '']) => ({
        path,
        target,
      })),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ target }) => !existsSync(target))).toEqual([]);
  });

  it('should name npm scripts that exist', () => {
    const named = documents.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, script = '']) => ({ path, script })),
    );
    expect(named.filter(({ script }) => !(script in manifest.scripts))).toEqual([]);
  });
});
