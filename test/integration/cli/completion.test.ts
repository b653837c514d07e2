import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kubeAssetsDirectory } from '../../../scripts/lib/kube-assets.ts';

const kubectl = kubeAssetsDirectory();

/** The shipped programs on a PATH of their own, in a directory with a file and a directory to complete. */
function world() {
  const root = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-completion-'));
  const bin = join(root.path, 'bin');
  mkdirSync(bin);
  for (const name of ['basekeeper', 'kubectl-basekeeper']) symlinkSync(resolve(`dist/${name}.js`), join(bin, name));
  mkdirSync(join(root.path, 'here', 'directory'), { recursive: true });
  writeFileSync(join(root.path, 'here', 'config.yaml'), '');
  const PATH = [bin, kubectl ?? '', dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH, HOME: root.path, KUBECONFIG: '/nonexistent', TERM: 'dumb' };
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { env, cwd: join(root.path, 'here'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return { bin, run, script: (program: string, shell: string) => run(program, 'completion', shell), [Symbol.dispose]: () => root.remove() };
}

/** As bash fills them in: `=` is a word of its own. */
const BASH_CASES: readonly (readonly [string, string[], string[]])[] = [
  ['basekeeper', ['pl'], ['plan']],
  ['basekeeper', ['config', 's'], ['schema', 'show']],
  ['basekeeper', ['plan', '--output', ''], ['table', 'wide', 'json', 'yaml', 'name']],
  ['basekeeper', ['plan', '--output', '=', 'y'], ['yaml']],
  ['basekeeper', ['plan', '--output', '='], ['table', 'wide', 'json', 'yaml', 'name']],
  ['basekeeper', ['plan', '--config', 'c'], ['config.yaml']],
  ['basekeeper', ['plan', '--instances-path', ''], ['directory']],
  ['basekeeper', ['plan', '--node', ''], []],
  ['kubectl-basekeeper', ['mode', 'node-1', 'e'], ['enforce']],
];

describe('the completion of bash', () => {
  it.each(BASH_CASES)('should offer in a real bash: %s %j', (program, words, offered) => {
    using here = world();
    const lines = [
      here.script(program, 'bash'),
      `COMP_WORDS=(${[program, ...words].map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}`,
      `entry=$(complete -p ${program}); [[ $entry == *" -F "* ]] || exit 9`,
      `function=\${entry##* -F }; "\${function%% *}"`,
      'for one in "${COMPREPLY[@]}"; do echo "$one"; done',
    ];
    const answer = here.run('bash', '--norc', '--noprofile', '-c', lines.join('\n'));
    expect(answer.split('\n').filter(Boolean)).toEqual(offered);
  });

  it('should complete at the prompt of a bash with a terminal', () => {
    using here = world();
    writeFileSync(`${here.bin}/rc`, `${here.script('basekeeper', 'bash')}\nPS1='> '\nbind 'set enable-bracketed-paste off'\n`);
    const typed = 'basekeeper vers\t -o jso\t\nexit\n';
    const { stdout } = spawnSync('script', ['-qec', `bash --rcfile ${here.bin}/rc --noprofile -i`, '/dev/null'], {
      input: typed,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${here.bin}:${dirname(process.execPath)}:${process.env['PATH']}`, TERM: 'dumb' },
    });
    expect(stdout).toMatch(/"version": "\d+\.\d+\.\d+/);
  });
});

describe('the completion of zsh', () => {
  it.each([
    ['basekeeper', 'basekeeper config s', ['schema', 'show']],
    ['basekeeper', 'basekeeper plan --output ', ['table', 'wide', 'json', 'yaml', 'name']],
    ['basekeeper', 'basekeeper plan --config c', ['FILES']],
    ['kubectl-basekeeper', 'kubectl-basekeeper mode node-1 e', ['enforce']],
  ])('should offer in a real zsh: %s', (program, line, offered) => {
    using here = world();
    const text = [
      // The functions of the completion system need a line editor; these say what they were given.
      'compdef() { : }',
      '_describe() { local -a all; all=("${(@P)2}"); for one in "${all[@]}"; do echo "${one%%:*}"; done }',
      '_files() { echo FILES }',
      here.script(program, 'zsh'),
      `words=("\${(@s: :):-${line}}"); CURRENT=\${#words}`,
      `_${program.replaceAll('-', '_')}`,
    ];
    expect(here.run('zsh', '-f', '-c', text.join('\n')).trim().split('\n')).toEqual(offered);
  });
});

describe('the completion of fish', () => {
  it.each([
    ['basekeeper', 'basekeeper config s', ['schema', 'show']],
    ['basekeeper', 'basekeeper plan --output ', ['json', 'name', 'table', 'wide', 'yaml']],
    ['basekeeper', 'basekeeper plan --config con', ['config.yaml']],
    ['kubectl-basekeeper', 'kubectl-basekeeper mode node-1 e', ['enforce']],
  ])('should offer in a real fish: %s', (program, line, offered) => {
    using here = world();
    const answer = here.run('fish', '--no-config', '-c', `${here.script(program, 'fish')}\ncomplete -C '${line}'`);
    const values = answer
      .trim()
      .split('\n')
      .map((one) => one.split('\t')[0]);
    expect(new Set(values)).toEqual(new Set(offered));
  });
});

describe('the scripts', () => {
  it.each([
    ['bash', 'bash', '_basekeeper'],
    ['zsh', 'zsh', '#compdef basekeeper\n'],
    ['fish', 'fish', 'complete -c basekeeper -f'],
  ])('should be read without a mistake: %s', (shell, program, part) => {
    using here = world();
    const script = here.script('basekeeper', shell);
    expect(script).toContain(part);
    execFileSync(program, ['-n', '-c', script]);
  });
});

describe('the completion of kubectl', () => {
  it('should offer what the plugin offers, through kubectl itself', () => {
    using here = world();
    const path = join(here.bin, 'kubectl_complete-basekeeper');
    writeFileSync(path, here.script('kubectl-basekeeper', 'kubectl'));
    chmodSync(path, 0o755);
    const asked = (...words: readonly string[]) =>
      here
        .run('kubectl', '__complete', 'basekeeper', ...words)
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[0]);
    expect(asked('status', '--output', 'y')).toEqual(['yaml', ':4']);
    expect(asked('mo')).toEqual(['mode', ':4']);
  });
});
