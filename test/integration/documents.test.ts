import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../scripts/lib/free-port.ts';
import { kubeAssetsDirectory } from '../../scripts/lib/kube-assets.ts';
import { loadConfig } from '../../src/config/load.ts';
import { TRASH_DIRECTORY } from '../../src/model/trash-names.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { createAgent } from '../../src/wire/commands.ts';
import { addAgentPod, ownAddress } from '../helpers/agent-pod.ts';
import type { KubeletTwin } from '../helpers/kubelet-twin.ts';
import { documentedCommands, RUN_BY } from '../helpers/documents.ts';
import { asAdmin, startKubeServer, type KubeServer } from '../helpers/kube-server.ts';
import { buildTree, DAY, type Tree } from '../helpers/tree.ts';

const FILE = '0d5e6b61602d758984b3bf038267614d6016eb2a';

interface Ran {
  readonly code: number;
  readonly output: string;
}

let bin: string;
let tree: Tree;

/** Runs a command as it stands, but for the directories of a real node. */
function shell(command: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const line = command.replaceAll('/var/lib/nova/instances', tree.instancesPath).replaceAll('/usr/local/bin', `${bin}/installed`);
  const kubectl = kubeAssetsDirectory() ?? '';
  const PATH = [bin, kubectl, dirname(process.execPath), process.env['PATH']].join(delimiter);
  return new Promise((done) => {
    execFile('sh', ['-c', line], { env: { ...process.env, PATH, HOME: bin, NO_COLOR: '1', ...env } }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), 'basekeeper-documents-'));
  mkdirSync(join(bin, 'installed'));
  for (const name of ['basekeeper', 'kubectl-basekeeper']) symlinkSync(resolve(`dist/${name}.js`), join(bin, name));
  tree = buildTree({
    [`_base/${FILE}`]: { content: 'base', ageSeconds: DAY },
    locks: { directory: true },
    compute_nodes: { content: '{"node-7": 17e8}' },
  });
});
afterAll(() => {
  tree.cleanup();
  rmSync(bin, { recursive: true });
});

describe('the README', () => {
  it('should begin with two commands that show everything, on one screen', () => {
    const commands = documentedCommands().filter(({ path }) => path === 'README.md');
    expect(commands.slice(0, 2).map(({ command }) => command)).toEqual(['npm ci && npm run demo', 'npm cit']);
    expect(readFileSync('README.md', 'utf8').split('\n').length).toBeLessThan(60);
  });
});

describe('the commands of the documents', () => {
  it('should each be run by exactly one suite', () => {
    const suites = Object.values(RUN_BY).flat();
    const commands = documentedCommands();
    expect(commands.length).toBeGreaterThan(20);
    expect(commands.filter(({ command }) => suites.filter((listed) => listed === command).length !== 1)).toEqual([]);
  });

  it('should not be run for documents that no longer have them', () => {
    const documented = new Set(documentedCommands().map(({ command }) => command));
    expect(
      Object.values(RUN_BY)
        .flat()
        .filter((command) => !documented.has(command)),
    ).toEqual([]);
  });
});

/** As a pass did that found nothing that uses the file. */
function trash(): void {
  const path = tree.path(`_base/${FILE}`);
  if (!existsSync(path)) return;
  mkdirSync(tree.path(`_base/${TRASH_DIRECTORY}`), { recursive: true });
  renameSync(path, tree.path(`_base/${TRASH_DIRECTORY}/${FILE}.1764165600000`));
}

describe('on a directory of instances alone', () => {
  it.each(RUN_BY.directory)('should work: %s', async (command) => {
    if (command.includes(' restore ')) trash();
    const { code, output } = await shell(command);
    expect(code, output).toBe(0);
    if (/ (?:plan|explain) /.test(command)) expect(output).toContain('ReferencedByWorkload');
    expect(readdirSync(tree.basePath).filter((name) => name !== TRASH_DIRECTORY)).toEqual(command.includes('--list') ? [] : [FILE]);
  });

  it('should have installed a plugin that runs outside of this project', async () => {
    expect(existsSync(`${bin}/installed/kubectl-basekeeper`)).toBe(true);
    expect(await shell('/usr/local/bin/kubectl-basekeeper --help')).toMatchObject({ code: 0 });
  });
});

describe('with an API server and an agent', () => {
  const stopping = new AbortController();
  let server: KubeServer;
  let agent: Promise<void> | undefined;
  let kubelet: KubeletTwin | undefined;

  beforeAll(async () => {
    server = await startKubeServer();
    for (const name of ['node-1', 'node-2'])
      await asAdmin(server, 'POST', '/api/v1/nodes', {
        metadata: { name, labels: { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name } },
      });
    const vm = { name: 'vm-1', annotations: { 'basekeeper.io/image-ref': 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0' } };
    const pagesPort = await freePort();
    kubelet = await addAgentPod(server, ownAddress(), pagesPort);
    await asAdmin(server, 'POST', '/api/v1/namespaces/basekeeper/pods', {
      metadata: vm,
      spec: {
        nodeName: 'node-1',
        volumes: [{ name: 'instances', hostPath: { path: '/' } }],
        containers: [{ name: 'vm', image: 'vm', volumeMounts: [{ name: 'instances', mountPath: '/instances' }] }],
      },
    });
    const values = {
      nodeName: 'node-1',
      instancesPath: tree.instancesPath,
      jitterSeconds: 0,
      http: { address: '127.0.0.1', port: 0, pagesPort },
    };
    const { config } = loadConfig({ overrides: [{ origin: 'test', values }] });
    if (config === undefined) throw new Error('the configuration has mistakes');
    vi.stubEnv('KUBECONFIG', server.kubeconfigPath);
    const started = await createAgent(config, { logger: createLogger({ destination: { write: () => true } }) });
    agent = started.run(stopping.signal);
    await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${pagesPort}/report`)).ok).toBe(true), {
      timeout: 60_000,
      interval: 100,
    });
  });
  afterAll(async () => {
    stopping.abort();
    await agent;
    vi.unstubAllEnvs();
    await kubelet?.stop();
    await server?.stop();
  });

  it.each(RUN_BY.apiServer)('should work: %s', async (command) => {
    const { code, output } = await shell(command, { KUBECONFIG: server.kubeconfigPath });
    // This API server has agents without the chart's policy, and no kubelet that starts them.
    const isDoctor = command.endsWith(' doctor');
    expect(code, output).toBe(isDoctor ? 1 : 0);
    if (isDoctor) expect(output).toMatch(/^PolicyMissing: /m);
    expect(output).not.toMatch(/from the annotations alone|error/i);
  });
});
