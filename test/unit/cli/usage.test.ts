import { PassThrough, Readable } from 'node:stream';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { programFor } from '../../../src/cli/run.ts';
import { runCommandLine } from '../../helpers/command-line.ts';

const io = { stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough(), signal: new AbortController().signal };
const program = programFor({ env: {}, io, wiring: () => Promise.reject(new Error('not for help')), exitWith: () => undefined });

/** Every command of the program: `plan`, `config`, `config check`, … */
function namesOf(parent: Command, prefix = ''): string[] {
  return parent.commands.flatMap((command) => {
    const name = `${prefix}${command.name()}`;
    return [name, ...namesOf(command, `${name} `)];
  });
}

const COMMANDS = namesOf(program);

describe('help', () => {
  it.each(COMMANDS)('of %s should go to stdout with an example of that command', async (command) => {
    const { code, stdout, stderr, wired } = await runCommandLine([...command.split(' '), '--help']);
    expect({ code, stderr, wired }).toEqual({ code: 0, stderr: '', wired: 0 });
    expect(stdout).toMatch(new RegExp(`^Usage: basekeeper ${command}`));
    expect(stdout).toMatch(new RegExp(`Examples?:\\n  \\$ (?:\\w+=\\S+ )?basekeeper ${command}`));
  });

  it('should be looked at for commands and for those below them', () => {
    expect(COMMANDS).toEqual(expect.arrayContaining(['hosts', 'restore', 'config', 'config test-rule']));
  });

  it('of the program should name every command and the exit codes', async () => {
    const { code, stdout } = await runCommandLine(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS.filter((name) => !name.includes(' '))) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 held.');
  });
});

describe('wrong use', () => {
  it.each([
    ['no command', [], 'Usage: basekeeper'],
    ['an unknown command', ['pln'], "basekeeper: unknown command 'pln'\n(Did you mean plan?)"],
    ['an unknown option', ['plan', '--instance-path', 'x'], "basekeeper: unknown option '--instance-path'"],
    [
      'an unknown output',
      ['plan', '--output', 'xml'],
      "basekeeper: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices",
    ],
    ['too many arguments', ['plan', 'x'], "basekeeper: too many arguments for 'plan'"],
    ['a missing argument', ['explain'], "basekeeper: missing required argument 'file-or-image'"],
    ['an option without value', ['plan', '--config'], "basekeeper: option '--config <file>' argument missing"],
    ['two answers to one question', ['explain', 'x', '--agent', 'http://a', '--workloads', 'w'], 'cannot be used with option'],
    ['a tree without workloads', ['explain', 'x', '--instances-path', '/x'], 'basekeeper: --instances-path needs --workloads'],
    [
      'an agent that is not a URL',
      ['explain', 'x', '--agent', 'node-1'],
      'basekeeper: --agent node-1 is not a URL; write one such as http://',
    ],
    ['a URL that is not a web address', ['explain', 'x', '--agent', 'file:///etc/passwd'], 'must begin with http:// or https://'],
    ['workloads from stdin where none are read', ['config', 'check', '--workloads', '-'], 'basekeeper: --workloads - makes no sense here'],
    [
      'a file that is not there',
      ['plan', '--config', '/nonexistent'],
      'cannot read the configuration file /nonexistent; check --config: ENOENT',
    ],
    ['wrong configuration', ['agent', '--node', 'a/b'], 'the configuration has mistakes:\n--node: nodeName must be a node name'],
  ])('should be told on stderr, with exit code 2: %s', async (_what, argv, message) => {
    const { code, stdout, stderr, passes } = await runCommandLine(argv);
    expect({ code, stdout, passes }).toEqual({ code: 2, stdout: '', passes: [] });
    expect(stderr).toContain(message);
  });
});
