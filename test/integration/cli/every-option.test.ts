import { mkdirSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { programFor } from '../../../src/cli/run.ts';
import type { Context } from '../../../src/cli/context.ts';
import { TRASH_DIRECTORY } from '../../../src/model/trash-names.ts';
import { cacheFileName } from '../../../src/model/names.ts';
import { basekeeper, startBasekeeper } from '../../helpers/basekeeper.ts';
import { addPass, LedgerMaker } from '../../helpers/ledgers.ts';
import { buildTree, DAY, type Tree } from '../../helpers/tree.ts';

const FILE = cacheFileName('image-a');
const OBJECT = 'apiVersion: example.com/v1\nkind: Machine\nmetadata: {name: vm-a, namespace: default}\nspec: {image: image-a}\n';
const CONFIG = `sources:
  rules: [{name: machines, apiVersion: example.com/v1, kind: Machine, fields: {instance: [{path: .metadata.name}], imageRef: [{path: .spec.image}]}}]
`;
const SHARED =
  'sources: {pods: {enabled: false}, virtualMachineInstances: {enabled: false}, file: {path: WORKLOADS}}\nsharedStorage: {enabled: true}\n';

/** What is run from the bundle, with the exit code. Upper-case words stand for the files of the tree. */
const RUNS: readonly (readonly [string, number])[] = [
  ['-h', 0],
  ['--help', 0],
  ['--version', 0],
  ['help plan', 0],
  ['version', 0],
  ['version -o yaml', 0],
  ['plan --config EMPTY --instances-path INSTANCES --workloads WORKLOADS --node node-1 -o json', 0],
  ['plan --instances-path INSTANCES --workloads WORKLOADS --output table', 0],
  ['plan --instances-path INSTANCES --workloads WORKLOADS --output wide', 0],
  ['plan --instances-path INSTANCES --workloads WORKLOADS --output yaml', 0],
  ['plan --instances-path INSTANCES --workloads WORKLOADS --output name', 0],
  ['pass --config EMPTY --instances-path INSTANCES --workloads WORKLOADS --node node-1 --dry-run -o json', 0],
  ['explain image-a --config EMPTY --instances-path INSTANCES --workloads WORKLOADS --node node-1 -o wide', 0],
  ['explain image-a --agent http://127.0.0.1:1', 1],
  ['hosts --config SHARED --instances-path INSTANCES --node node-1 --output json', 0],
  ['hosts --config SHARED --instances-path INSTANCES --workloads WORKLOADS --node node-1 --forget node-7', 0],
  ['config check --config RULES --instances-path INSTANCES --workloads WORKLOADS --node node-1', 0],
  ['config check --config RULES', 0],
  ['config schema', 0],
  ['config show --config RULES --instances-path INSTANCES --workloads WORKLOADS --node node-1 -o json', 0],
  ['config show', 0],
  ['config show -o table', 0],
  ['config show -o name', 0],
  ['config test-rule --config RULES --node node-1 --object OBJECT -o json', 0],
  ['config test-rule --config RULES --instances-path INSTANCES --workloads WORKLOADS --node node-1 --object OBJECT', 2],
  ['prepare --config EMPTY --instances-path INSTANCES --workloads WORKLOADS --node node-1 -o json', 0],
  ['restore --list --config EMPTY --instances-path INSTANCES --workloads WORKLOADS --node node-1 -o name', 0],
  ['restore TRASHED --instances-path INSTANCES', 0],
  ['cleanup -o json', 2],
  ['history --config EMPTY --instances-path INSTANCES --workloads WORKLOADS --node node-1 --limit 5', 1],
  ['history --ledger LEDGER --since 7d --until 2126-01-01 --image image-a --file a --limit 0 -o json', 0],
  ['history --ledger LEDGER -o wide', 0],
  ['history --ledger LEDGER -o yaml', 0],
  ['history --ledger LEDGER -o name', 0],
  ['audit --config EMPTY --instances-path INSTANCES --workloads WORKLOADS --node node-1', 1],
  ['audit --ledger LEDGER --head 1:0123456789abcdef -o json', 1],
  ['audit --ledger LEDGER', 0],
  ['completion bash', 0],
  ['completion zsh', 0],
  ['completion fish', 0],
];
/** Runs until it is stopped. */
const AGENT = 'agent --config QUIET --instances-path INSTANCES --workloads WORKLOADS --node node-1';

function world(): { readonly tree: Tree; readonly fill: (line: string) => string[] } {
  const old = cacheFileName('image-old');
  const tree = buildTree({
    [`_base/${FILE}`]: { content: 'base', ageSeconds: DAY },
    [`_base/${TRASH_DIRECTORY}/${old}.1764165600000`]: { content: 'old' },
    locks: { directory: true },
    compute_nodes: { content: '{"node-7": 17e8}' },
  });
  onTestFinished(tree.cleanup);
  const directory = tree.path('../files');
  mkdirSync(directory, { recursive: true });
  const file = (name: string, text: string): string => {
    writeFileSync(`${directory}/${name}`, text);
    return `${directory}/${name}`;
  };
  const workloads = file('workloads.yaml', 'workloads: [{name: instance-00000001, imageRef: image-a}]\n');
  const ledger = new LedgerMaker(`${directory}/ledger`);
  addPass(ledger, [FILE]);
  ledger.close();
  const words: Readonly<Record<string, string>> = {
    LEDGER: ledger.directory,
    INSTANCES: tree.instancesPath,
    WORKLOADS: workloads,
    EMPTY: file('empty.yaml', ''),
    QUIET: file('quiet.yaml', 'http: {address: 127.0.0.1, port: 0}\njitterSeconds: 0\n'),
    RULES: file('rules.yaml', CONFIG),
    SHARED: file('shared.yaml', SHARED.replace('WORKLOADS', workloads)),
    OBJECT: file('object.yaml', OBJECT),
    TRASHED: old,
  };
  return { tree, fill: (line) => line.split(' ').map((word) => words[word] ?? word) };
}

const CONTEXT = { env: {}, io: { stdout: process.stdout, stderr: process.stderr } } as unknown as Context;

/** The program itself, `plan`, `config`, `config show`, … */
function everyCommand(command: Command, path = ''): string[] {
  return [path, ...command.commands.flatMap((child) => everyCommand(child, `${path} ${child.name()}`.trim()))];
}

/** `config show --output`, for every command of the program. */
function everyOption(command: Command, path = ''): string[] {
  const own = command.options.filter(({ long }) => long !== '--version').map(({ long }) => `${path}${long}`);
  return [...own, ...command.commands.flatMap((child) => everyOption(child, `${path}${child.name()} `))];
}

/** What this program's shipped form is given here, in the same words. */
function optionsOf(line: string): string[] {
  const words = line.split(' ').map((word) => (word === '-o' ? '--output' : word));
  const path = words.slice(0, words[0] === 'config' ? 2 : 1).join(' ');
  return words.filter((word) => word.startsWith('--')).map((option) => `${path} ${option}`);
}

describe('the shipped program', () => {
  it('should be run with every option that its help names', () => {
    const named = new Set(everyOption(programFor(CONTEXT)));
    const run = new Set([...RUNS.map(([line]) => line), AGENT].flatMap(optionsOf));
    expect([...named].filter((option) => !run.has(option))).toEqual([]);
  });

  it.each(everyCommand(programFor(CONTEXT)))('should print its help by -h and by --help: basekeeper %s', async (command) => {
    const words = command === '' ? [] : command.split(' ');
    const [short, long] = await Promise.all(['-h', '--help'].map((option) => basekeeper([...words, option])));
    expect(short).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(new RegExp(`^Usage: basekeeper ${command}`)) });
    expect(long?.stdout).toBe(short?.stdout);
  });

  it.each(RUNS)('should do as it says: basekeeper %s (exit code %i)', async (line, code) => {
    const ran = await basekeeper(world().fill(line));
    expect(ran.code, ran.stdout + ran.stderr).toBe(code);
    // A stack is a crash, whatever its exit code.
    expect(ran.stderr).not.toMatch(/^ {4}at /m);
    if (code !== 0) expect(ran.stderr).toMatch(/^basekeeper: /m);
  });

  it('should run an agent until it is stopped', async () => {
    const agent = startBasekeeper(world().fill(AGENT));
    await expect.poll(() => agent.stderr(), { timeout: 20_000 }).toContain('pass ended');
    agent.child.kill('SIGTERM');
    expect(await agent.ended).toMatchObject({ code: 0 });
  });
});
