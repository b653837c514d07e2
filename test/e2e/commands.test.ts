/** The command line as people run it in an agent's container: from the image, with its Node.js, its user and its mounts. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { programFor } from '../../src/cli/run.ts';
import type { Context } from '../../src/cli/context.ts';
import { until } from '../../scripts/lib/until.ts';
import { IMAGE_NAME } from './image/build.ts';
import { createSession, helmOptions, type KubeObject } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';

const access = inject('cluster');
const session = createSession(access, 'basekeeper-commands');
const { kubectl, helm } = session;
const tree = new InstancesTree(join(access.sharedDirectory, 'commands', 'instances'));
const options = [...helmOptions(tree.path), '--set', 'config.jitterSeconds=0,config.allowEmptyInventory=true,config.trash.enabled=true'];
/** Beside the instances path of the agent, whose mount they are seen through: what some commands are given. */
const given = (name: string): string => join(tree.path, name);
const RULE = { name: 'machines', apiVersion: 'example.com/v1', kind: 'Machine', fields: { imageRef: [{ path: '.spec.image' }] } };
const OBJECT = {
  apiVersion: 'example.com/v1',
  kind: 'Machine',
  metadata: { name: 'vm-a', namespace: 'default' },
  spec: { image: 'image-a' },
};
const NO_CLUSTER = { pods: { enabled: false }, virtualMachineInstances: { enabled: false } };
const CONFIG = ['--config', '/etc/basekeeper/config.yaml'];
const NODE = '/nodejs/bin/node';
const CONTEXT = { env: {}, io: { stdout: process.stdout, stderr: process.stderr } } as unknown as Context;

/** `plan`, `config`, `config show`, … */
function everyCommand(command: Command, path: readonly string[] = []): (readonly string[])[] {
  return command.commands.flatMap((child) => [[...path, child.name()], ...everyCommand(child, [...path, child.name()])]);
}

let pod: string;
/** What the program prints; rejects with what it says where its exit code is not 0. */
const execIn = async (name: string, container: string, ...args: readonly string[]): Promise<string> =>
  kubectl('--namespace', session.namespace, 'exec', name, '--container', container, '--', NODE, '/app/basekeeper.mjs', ...args);
const basekeeper = async (...args: readonly string[]): Promise<string> => execIn(pod, 'agent', ...args);

/** A pod of root's that may write there, as an init container of the chart may: to the agent most of the instances path is read-only. */
async function startRoot(path: string): Promise<void> {
  const volumeMounts = [{ name: 'there', mountPath: path }];
  const command = [NODE, '--eval', 'setInterval(() => {}, 1e6)'];
  const container = { name: 'main', image: IMAGE_NAME, imagePullPolicy: 'Never', command, volumeMounts, securityContext: { runAsUser: 0 } };
  const volumes = [{ name: 'there', hostPath: { path } }];
  const spec = { nodeName: access.node, terminationGracePeriodSeconds: 0, containers: [container], volumes };
  await session.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: session.namespace, name: 'root' }, spec });
  await kubectl('--namespace', session.namespace, 'wait', '--for=condition=Ready', '--timeout=60s', 'pod/root');
}

beforeAll(async () => {
  tree.addEmpty(sha1('image-a'));
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
  pod = (await session.readyAgent()).metadata.name;
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  for (const kind of ['clusterrolebinding', 'clusterrole'])
    await kubectl('delete', kind, 'basekeeper-commands-cleaner', '--ignore-not-found');
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

  it('should put back what the agent has removed', async () => {
    const name = sha1('image-a');
    await kubectl('annotate', 'node', access.node, 'basekeeper.io/mode=enforce');
    await session.runNow(access.node);
    await kubectl('annotate', 'node', access.node, 'basekeeper.io/mode-');
    expect(tree.baseNames()).not.toContain(name);
    expect(await basekeeper('restore', '--list', ...CONFIG)).toMatch(new RegExp(`^NAME .*\n\\S*${name}`));
    expect(await basekeeper('restore', name, ...CONFIG)).toBe(`restored ${name}\n`);
    expect(tree.baseNames()).toContain(name);
    await expect(basekeeper('restore', name, ...CONFIG)).rejects.toThrow(/has a file of this name again/);
  });

  it('should prepare another directory, register there, and list and forget hosts', async () => {
    const other = join(access.sharedDirectory, 'commands', 'other');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'shared.yaml'), JSON.stringify({ sources: NO_CLUSTER, sharedStorage: { enabled: true } }));
    await startRoot(other);
    const paths = ['--config', join(other, 'shared.yaml'), '--instances-path', other, '--workloads', '/dev/null', '--node', access.node];
    const there = async (command: string, ...args: readonly string[]) => execIn('root', 'main', command, ...paths, ...args);
    expect(await there('prepare')).toMatch(/_base was missing and has been made\n/);
    expect(await there('prepare')).not.toContain('was missing');
    expect(['_base', 'locks'].filter((name) => !existsSync(join(other, name)))).toEqual([]);
    expect(await there('hosts', '-o', 'name')).toBe(`${access.node}\n`);
    const seconds = Date.now() / 1000;
    writeFileSync(join(other, 'compute_nodes'), JSON.stringify({ [access.node]: seconds, gone: seconds }));
    expect(await there('hosts', '-o', 'name')).toBe(`${access.node}\ngone\n`);
    expect(await there('hosts', '--forget', 'gone', '-o', 'name')).toBe(`${access.node}\n`);
    await expect(basekeeper('hosts', ...CONFIG)).rejects.toThrow(/sharedStorage\.enabled is false/);
  });

  it('should show what a rule makes of an object', async () => {
    writeFileSync(given('rules.yaml'), JSON.stringify({ sources: { rules: [RULE] } }));
    writeFileSync(given('object.yaml'), JSON.stringify(OBJECT));
    const shown = await basekeeper('config', 'test-rule', '--config', given('rules.yaml'), '--object', given('object.yaml'));
    expect(shown).toMatch(new RegExp(`^Machine default/vm-a\n[^]*image: image-a\n[^]*base files: ${sha1('image-a')}`));
  });

  it('should clean up, by an account that may', async () => {
    const [account, role] = [`${session.namespace}:cleaner`, 'basekeeper-commands-cleaner'];
    await kubectl('--namespace', session.namespace, 'create', 'serviceaccount', 'cleaner');
    await kubectl('create', 'clusterrole', role, '--verb=list,patch', '--resource=nodes');
    await kubectl('create', 'clusterrolebinding', role, `--clusterrole=${role}`, `--serviceaccount=${account}`);
    const container = { name: 'cleaner', image: IMAGE_NAME, imagePullPolicy: 'Never', args: ['cleanup'] };
    const spec = { nodeName: access.node, serviceAccountName: 'cleaner', restartPolicy: 'Never', containers: [container] };
    await session.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: session.namespace, name: 'cleaner' }, spec });
    await until('the clean-up has ended', 60_000, async () => {
      const { status } = await session.json<KubeObject>('--namespace', session.namespace, 'get', 'pod', 'cleaner');
      return ['Succeeded', 'Failed'].includes(status?.phase ?? '') ? true : undefined;
    });
    expect(await kubectl('--namespace', session.namespace, 'logs', 'cleaner')).toBe(
      '1 nodes had annotations of Basekeeper; they are removed\n',
    );
  });

  it('should complete, and say its version', async () => {
    expect(await basekeeper('__complete', 'config', 's')).toMatch(/^schema\t.*\nshow\t.*\n:4\n$/);
    expect(await basekeeper('version', '-o', 'json')).toContain('"version"');
  });
});
