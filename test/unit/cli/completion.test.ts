import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../helpers/command-line.ts';
import { apiError } from '../../helpers/memory-kube.ts';
import { cluster, kubectl } from '../../helpers/plugin.ts';

/** What the program offers in place of the last word, and what the shell does beside it. */
async function offered(line: string): Promise<{ readonly values: readonly string[]; readonly directive: string }> {
  const { code, stdout, stderr, wired } = await runCommandLine(['__complete', ...line.split(' ')]);
  expect({ code, stderr, wired }).toEqual({ code: 0, stderr: '', wired: 0 });
  return read(stdout);
}

function read(stdout: string): { readonly values: readonly string[]; readonly directive: string } {
  const lines = stdout.trimEnd().split('\n');
  return { values: lines.slice(0, -1).map((line) => line.split('\t')[0] ?? ''), directive: lines.at(-1) ?? '' };
}

describe('completion', () => {
  it.each([
    ['pl', ['plan']],
    ['config s', ['schema', 'show']],
    ['help pre', ['prepare']],
    ['plan --o', ['--output']],
    ['plan --output y', ['yaml']],
    ['plan -o w', ['wide']],
    ['plan --output=y', ['--output=yaml']],
    ['plan --output = y', ['yaml']],
    ['plan --node node-1 --config x --inst', ['--instances-path']],
    ['completion f', ['fish']],
    ['plan x --nothing-like-it', []],
    ['plan --agent-sel', []],
    ['pass -- --dry', []],
    ['pass --dry-run --dry', []],
  ])('should offer what the commands define: %s', async (line, values) => {
    expect(await offered(line)).toEqual({ values, directive: ':4' });
  });

  it.each([
    ['plan --config ', ':0'],
    ['plan --config=x', ':0'],
    ['plan --instances-path ', ':16'],
    ['plan --node ', ':4'],
  ])('should leave files and directories to the shell: %s', async (line, directive) => {
    expect(await offered(line)).toEqual({ values: [], directive });
  });

  it('should offer all commands, with a line about each, and not its own', async () => {
    const { stdout } = await runCommandLine(['__complete', '']);
    expect(stdout).toMatch(/^plan\tPrint what a pass would do, and why; change nothing\. /m);
    expect(stdout).not.toContain('__complete');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(90);
    expect((await runCommandLine(['--help'])).stdout).not.toContain('__complete');
  });

  it('should refuse a shell that it does not know', async () => {
    expect(await runCommandLine(['completion', 'tcsh'])).toMatchObject({ code: 2, stderr: expect.stringContaining('bash, zsh, fish') });
  });
});

describe('completion of the plugin', () => {
  const world = () => {
    const kube = cluster();
    for (const name of ['node-1', 'node-2', 'control-1']) kube.putNode(name, name, {});
    return kube;
  };

  it.each([
    ['status n', ['node-1', 'node-2']],
    ['explain n', ['node-1', 'node-2']],
    ['explain node-1 n', []],
    ['run node-1 n', ['node-2']],
    ['run --all n', []],
    ['mode e', ['enforce']],
    ['mode node-1 ', ['off', 'dry-run', 'enforce', 'configured', 'node-2', 'control-1']],
    ['mode -l a=b ', ['off', 'dry-run', 'enforce', 'configured']],
    ['doctor --kubec', ['--kubeconfig']],
    ['completion k', ['kubectl']],
  ])('should offer the nodes of the cluster, and modes: %s', async (line, values) => {
    const { code, stdout, stderr } = await kubectl(world(), ['__complete', ...line.split(' ')]);
    expect({ code, stderr, ...read(stdout) }).toEqual({ code: 0, stderr: '', values, directive: ':4' });
  });

  it('should ask the cluster that the options before it name', async () => {
    expect((await kubectl(world(), ['__complete', '--context', 'c', 'run', '--kubeconfig=k', ''])).places).toEqual([
      { kubeconfig: 'k', context: 'c' },
    ]);
  });

  it('should offer nothing where there is no cluster to ask', async () => {
    const kube = world();
    kube.refuse = () => apiError(403);
    expect(await kubectl(kube, ['__complete', 'run', ''])).toMatchObject({ code: 0, stdout: ':4\n', stderr: '' });
  });
});
