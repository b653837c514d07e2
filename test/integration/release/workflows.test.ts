import { spawnSync } from 'node:child_process';
import { globSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensureReleaseTool } from '../../../scripts/lib/tools.ts';

const paths = globSync('.github/workflows/*');

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly uses?: string; readonly run?: string }[] }>>;
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
