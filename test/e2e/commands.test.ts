/** The command line as people run it in an agent's container: from the image, with its Node.js, its user and its mounts. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { programFor } from '../../src/cli/run.ts';
import type { Context } from '../../src/cli/context.ts';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';

const access = inject('cluster');
const session = createSession(access, 'basekeeper-commands');
const { kubectl, helm } = session;
const tree = new InstancesTree(join(access.sharedDirectory, 'commands', 'instances'));
const options = [...helmOptions(tree.path), '--set', 'config.jitterSeconds=0,config.allowEmptyInventory=true'];
const CONFIG = ['--config', '/etc/basekeeper/config.yaml'];
const CONTEXT = { env: {}, io: { stdout: process.stdout, stderr: process.stderr } } as unknown as Context;

/** `plan`, `config`, `config show`, … */
function everyCommand(command: Command, path: readonly string[] = []): (readonly string[])[] {
  return command.commands.flatMap((child) => [[...path, child.name()], ...everyCommand(child, [...path, child.name()])]);
}

let pod: string;
/** What the program prints; rejects with what it says where its exit code is not 0. */
const basekeeper = async (...args: readonly string[]): Promise<string> =>
  kubectl('--namespace', session.namespace, 'exec', pod, '--container', 'agent', '--', '/nodejs/bin/node', '/app/basekeeper.mjs', ...args);

beforeAll(async () => {
  tree.addEmpty(sha1('image-a'));
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
  pod = (await session.readyAgent()).metadata.name;
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
});

describe('the command line in the image', () => {
  it.each(everyCommand(programFor(CONTEXT)).map((words) => words.join(' ')))('should print its help: basekeeper %s', async (command) => {
    expect(await basekeeper(...command.split(' '), '--help')).toMatch(new RegExp(`^Usage: basekeeper ${command}\\b`));
  });

  it('should check and show the configuration that the chart gives it', async () => {
    expect(await basekeeper('config', 'check', ...CONFIG)).toContain('is valid');
    const shown = JSON.parse(await basekeeper('config', 'show', ...CONFIG, '-o', 'json')) as object;
    expect(shown).toMatchObject({ instancesPath: tree.path, mode: 'dry-run', nodeName: access.node });
    expect(await basekeeper('config', 'show', ...CONFIG, '-o', 'yaml')).toContain(`instancesPath: ${tree.path}`);
    expect(JSON.parse(await basekeeper('config', 'schema'))).toMatchObject({ type: 'object' });
  });

  it('should plan a pass as the agent does, beside the agent', async () => {
    const plan = JSON.parse(await basekeeper('plan', ...CONFIG, '-o', 'json')) as object;
    expect(plan).toMatchObject({ kind: 'Plan', node: access.node, files: [{ name: sha1('image-a') }] });
    expect(await basekeeper('plan', ...CONFIG, '-o', 'name')).toBe(`${sha1('image-a')}\n`);
    expect(await basekeeper('plan', ...CONFIG, '-o', 'yaml')).toContain('kind: Plan\n');
    expect(await basekeeper('plan', ...CONFIG)).toMatch(/^Plan for /);
  });

  it('should explain a file by the agent’s report', async () => {
    await session.runNow(access.node);
    expect(await basekeeper('explain', 'image-a', ...CONFIG)).toContain(sha1('image-a'));
    expect(JSON.parse(await basekeeper('explain', 'image-a', ...CONFIG, '-o', 'json'))).toMatchObject({ kind: 'Explanation' });
  });

  it('should complete, and say its version', async () => {
    expect(await basekeeper('__complete', 'config', 's')).toMatch(/^schema\t.*\nshow\t.*\n:4\n$/);
    expect(await basekeeper('version', '-o', 'json')).toContain('"version"');
  });
});
