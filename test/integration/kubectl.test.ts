import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeAssetsDirectory } from '../../scripts/lib/kube-assets.ts';
import { kubectlProgramFor } from '../../src/cli/kubectl/run.ts';
import type { KubectlContext } from '../../src/cli/kubectl/context.ts';
import { annotationPatch } from '../../src/report/node/annotations.ts';
import { digestOf } from '../../src/report/digest.ts';
import { addAgentPod, ownAddress } from '../helpers/agent-pod.ts';
import { someoneWith } from '../helpers/service-account.ts';
import { lastRemovalText } from '../../src/report/last-removal.ts';
import type { LedgerEnd } from '../../src/model/ledger/records.ts';
import { asAdmin, startKubeServer, type KubeServer } from '../helpers/kube-server.ts';
import { addPass, historyIn, LedgerMaker } from '../helpers/ledgers.ts';
import type { KubeletTwin } from '../helpers/kubelet-twin.ts';
import { startReportServer, type ReportServer } from '../helpers/report-server.ts';
import { heldReport, plannedFile, removableFile, report } from '../helpers/reports.ts';

const NODES = 1203;
const BASE = plannedFile().name;
const dryRun = report({ files: [removableFile()], result: 'DryRun' });

/** What is run from the bundle, with the exit code. */
const RUNS: readonly (readonly [string, number])[] = [
  ['-h', 0],
  ['--version', 0],
  ['version -o json', 0],
  ...['status', 'run', 'mode', 'explain', 'history', 'where', 'doctor', 'version', 'completion'].flatMap((command): [string, number][] => [
    [`${command} -h`, 0],
    [`${command} --help`, 0],
    [`help ${command}`, 0],
  ]),
  ...['table', 'wide', 'json', 'yaml', 'name'].map((format): [string, number] => [`status -o ${format}`, 0]),
  ...['table', 'wide', 'json', 'yaml', 'name'].map((format): [string, number] => [`status node-1 --output ${format}`, 0]),
  ['status --selector kubernetes.io/hostname!=x --agent-selector app.kubernetes.io/name=basekeeper', 0],
  ['run --all --no-wait -o name', 0],
  ['run --selector !a --no-wait --timeout 1 --agent-selector app.kubernetes.io/name=basekeeper -o json', 0],
  ['mode --all configured -o name', 0],
  ['mode --selector !a --agent-selector app.kubernetes.io/name=basekeeper -o yaml configured', 0],
  [`explain node-1 ${BASE} -o yaml --agent-selector app.kubernetes.io/name=basekeeper`, 0],
  [`explain node/node-1 ${BASE} -o name`, 0],
  ...['table', 'wide', 'json', 'yaml', 'name'].map((format): [string, number] => [`where ${BASE} -o ${format}`, 0]),
  ['where --wanted', 0],
  [`where ${BASE} --all --selector kubernetes.io/hostname=x`, 0],
  [`where ${BASE} --wide --parallel 2 --selector kubernetes.io/hostname=x --agent-selector app.kubernetes.io/name=basekeeper`, 0],
  ...['table', 'wide', 'json', 'yaml', 'name'].map((format): [string, number] => [`history node-1 -o ${format}`, 0]),
  [
    `history node-1 --since 7d --until 2126-01-01 --image ${BASE} --file ${BASE} --limit 5 --agent-selector app.kubernetes.io/name=basekeeper`,
    0,
  ],
  ['doctor -o yaml --secrets --silent-after 60 --selector !a --agent-selector app.kubernetes.io/name=basekeeper', 1],
  ['doctor -o wide', 1],
  ['completion bash', 0],
  ['completion zsh', 0],
  ['completion fish', 0],
  ['completion kubectl', 0],
];
const LONG: Readonly<Record<string, string>> = { '-o': '--output', '-l': '--selector' };

let server: KubeServer;
let agent: ReportServer;
let kubelet: KubeletTwin;
let bin: string;
let recorded: LedgerEnd;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl itself, which finds the plugin in its PATH. */
async function kubectl(...args: readonly string[]): Promise<Ran> {
  const PATH = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH, KUBECONFIG: server.kubeconfigPath, NO_COLOR: '1' };
  return new Promise((done) => {
    execFile(join(kubeAssetsDirectory() ?? '', 'kubectl'), [...args], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const basekeeper = (...args: readonly string[]): Promise<Ran> => kubectl('basekeeper', ...args);

async function annotationsOf(node: string): Promise<Readonly<Record<string, string>>> {
  const { metadata } = (await asAdmin(server, 'GET', `/api/v1/nodes/${node}`)) as { metadata: { annotations?: Record<string, string> } };
  return metadata.annotations ?? {};
}

/** Requests for nodes and pods so far, as the API server counts them. */
async function requests(): Promise<Readonly<Record<string, number>>> {
  const { stdout } = await kubectl('get', '--raw', '/metrics');
  const counts: Record<string, number> = {};
  for (const line of stdout.split('\n')) {
    const found = /^apiserver_request_total\{.*resource="(nodes|pods)".*verb="(GET|LIST|PATCH)"[^}]*\} (\d+)$/.exec(line);
    if (found !== null) counts[`${found[2]} ${found[1]}`] = (counts[`${found[2]} ${found[1]}`] ?? 0) + Number(found[3]);
  }
  return counts;
}

beforeAll(async () => {
  bin = mkdtempSync(join(tmpdir(), 'basekeeper-plugin-'));
  symlinkSync(resolve('dist/kubectl-basekeeper.js'), join(bin, 'kubectl-basekeeper'));
  server = await startKubeServer();
  const annotations = annotationPatch({ report: dryRun, digest: digestOf(dryRun), written: undefined, heartbeatSeconds: 3600 });
  const names = Array.from({ length: NODES }, (_, index) => `node-${index}`).values();
  const worker = async (): Promise<void> => {
    for (const name of names) await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name, annotations } });
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const ledger = new LedgerMaker(join(bin, 'ledger'));
  addPass(ledger, [BASE]);
  ledger.close();
  recorded = ledger.last;
  agent = await startReportServer({ history: historyIn(ledger.directory) });
  agent.show(heldReport());
  kubelet = await addAgentPod(server, ownAddress(), agent.port);
});
afterAll(async () => {
  await agent?.close();
  await kubelet?.stop();
  await server?.stop();
  rmSync(bin, { recursive: true, force: true });
});

describe('kubectl basekeeper on a real API server', () => {
  it('should be found by kubectl', async () => {
    expect((await kubectl('plugin', 'list')).stdout).toContain('kubectl-basekeeper');
    expect((await basekeeper('--help')).stdout).toContain('Usage: kubectl basekeeper');
  });

  it('should show more than a thousand nodes by one list of three pages, and one of the agents’ pods where nodes were silent', async () => {
    const before = await requests();
    const { code, stdout, stderr } = await basekeeper('status');
    const after = await requests();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toHaveLength(NODES + 3);
    expect(stdout).toContain(`${NODES} nodes (${NODES} DryRun)`);
    expect(after).toEqual({ ...before, 'LIST nodes': (before['LIST nodes'] ?? 0) + 3, 'LIST pods': (before['LIST pods'] ?? 0) + 1 });
  });

  it('should give the same as JSON', async () => {
    const { items } = JSON.parse((await basekeeper('status', '-o', 'json')).stdout) as { items: { node: string; result: string }[] };
    expect(items).toHaveLength(NODES);
    expect(items[10]).toMatchObject({ node: 'node-10', result: 'DryRun', mode: 'dry-run' });
  });

  it('should set the mode of nodes and take it back', async () => {
    expect(await basekeeper('mode', 'node-1', 'node-2', 'enforce')).toMatchObject({ code: 0, stderr: '' });
    expect((await annotationsOf('node-2'))['basekeeper.io/mode']).toBe('enforce');
    await basekeeper('mode', 'node-1', 'node-2', 'configured');
    expect(await annotationsOf('node-2')).not.toHaveProperty(['basekeeper.io/mode']);
  });

  it('should ask for a pass and show what the agent answers', async () => {
    const running = basekeeper('run', 'node-1');
    let wanted: string | undefined;
    while (wanted === undefined) wanted = (await annotationsOf('node-1'))['basekeeper.io/run-now'];
    const held = heldReport({ node: 'node-1' });
    const answer = annotationPatch({ report: held, digest: digestOf(held), written: undefined, heartbeatSeconds: 1, runNowDone: wanted });
    const node = (await asAdmin(server, 'GET', '/api/v1/nodes/node-1')) as { metadata: { annotations: object } };
    Object.assign(node.metadata.annotations, answer);
    await asAdmin(server, 'PUT', '/api/v1/nodes/node-1', node);
    const { code, stdout } = await running;
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: 'node-1: Held: 1 base file, 1.0 GiB; 1 removable, 1.0 GiB; held: SourceNotSynced\n',
    });
  });

  it('should explain a file by a port-forward to the loopback of the agent’s pod', async () => {
    const { code, stdout, stderr } = await basekeeper('explain', 'node-1', BASE);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('keep, kept: GateClosed.');
    expect(stdout).toContain('Held by   SourceNotSynced: source pods is syncing');
  });

  it('should show in one node’s status what its agent says', async () => {
    const { code, stdout, stderr } = await basekeeper('status', 'node-1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Held by    SourceNotSynced: source pods is syncing');
  });

  it('should show the history of a node, and say where its ledger is not the one that its annotation names', async () => {
    const removal = { at: '2026-11-23T13:00:00Z', what: '1 base file removed, 1.0 GiB', ledger: recorded };
    const annotate = (text: string) => kubectl('annotate', 'node', 'node-1', '--overwrite', `basekeeper.io/last-removal=${text}`);
    await annotate(lastRemovalText(removal));
    const { code, stdout, stderr } = await basekeeper('history', 'node-1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`removed +${BASE} .*\\n1 record: 1 removed`));
    await annotate(lastRemovalText({ ...removal, ledger: { ...recorded, hash: '0'.repeat(64) } }));
    const rewritten = await basekeeper('history', 'node-1');
    expect(rewritten.code).toBe(1);
    expect(rewritten.stderr).toContain('kubectl basekeeper: the ledger of node node-1 has another record');
    await kubectl('annotate', 'node', 'node-1', 'basekeeper.io/last-removal-');
    expect(await basekeeper('history', 'node-2')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no agent runs on node node-2'),
    });
  });

  it('should say why an agent cannot be asked, and show what the annotations say', async () => {
    agent.show(undefined);
    const { code, stdout, stderr } = await basekeeper('status', 'node-1');
    agent.show(heldReport());
    expect(code).toBe(0);
    expect(stderr).toMatch(/from the annotations alone: cannot reach the agent basekeeper\/agent-1 on node node-1/);
    expect(stdout).toContain('1 file reclaimable, 1.0 GiB');
    expect(await basekeeper('explain', 'node-2', BASE)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no agent runs on node node-2'),
    });
  });

  it('should take the right to get and create port-forwards, and name it when it is missing', async () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }];
    const reader = await someoneWith(server, 'reader', rules);
    const refused = await basekeeper('explain', 'node-1', BASE, '--kubeconfig', reader);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('it takes the right to get and create pods/portforward');
    const forwarding = { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] };
    const forwarder = await someoneWith(server, 'forwarder', [...rules, forwarding]);
    expect(await basekeeper('explain', 'node-1', BASE, '--kubeconfig', forwarder)).toMatchObject({ code: 0, stderr: '' });
  });

  it('should complete nodes of the cluster for kubectl', async () => {
    const path = join(bin, 'kubectl_complete-basekeeper');
    writeFileSync(path, (await basekeeper('completion', 'kubectl')).stdout);
    chmodSync(path, 0o755);
    const { stdout } = await kubectl('__complete', 'basekeeper', 'status', 'node-12');
    expect(stdout.match(/^node-12\d*/gm)).toHaveLength(1 + 10 + 3);
  });

  it('should show each node that changes, until it is stopped', async () => {
    const watching = spawn(process.execPath, [resolve('dist/kubectl-basekeeper.js'), 'status', '--watch', '-o', 'json'], {
      env: { ...process.env, KUBECONFIG: server.kubeconfigPath },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    watching.stdout.on('data', (chunk: Buffer) => (text += String(chunk)));
    const ended = new Promise((done) => watching.on('exit', done));
    await expect.poll(() => text.split('\n').length, { timeout: 30_000 }).toBe(NODES + 1);
    await basekeeper('mode', 'node-7', 'enforce');
    await expect.poll(() => text.trimEnd().split('\n').slice(NODES), { timeout: 30_000 }).toHaveLength(1);
    expect(JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ node: 'node-7', mode: 'enforce' });
    watching.kill('SIGINT');
    expect(await ended).toBe(0);
    await basekeeper('mode', 'node-7', 'configured');
  });

  it('should be run with every option that its help names', () => {
    const context = { env: {}, io: { stdout: process.stdout, stderr: process.stderr } } as unknown as KubectlContext;
    const program = kubectlProgramFor(context);
    const named = program.commands.flatMap((command) => command.options.map(({ long }) => `${command.name()} ${long}`));
    const run = new Set(
      RUNS.map(([line]) => line.split(' ')).flatMap(([command, ...words]) => words.map((word) => `${command} ${LONG[word] ?? word}`)),
    );
    run.add('status --watch'); // By the test above.
    expect(named.filter((option) => !run.has(option))).toEqual([]);
    expect(program.commands.map((command) => command.name()).filter((name) => !RUNS.some(([line]) => line.startsWith(name)))).toEqual([]);
  });

  it.each(RUNS)('should do as its help says: %s (exit code %i)', async (line, code) => {
    const { code: ended, stdout, stderr } = await basekeeper(...line.split(' '));
    expect(ended, stdout + stderr).toBe(code);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(stdout).not.toBe('');
  });

  it('should say at once that a node has no agent', async () => {
    const { code, stderr } = await basekeeper('run', 'node-3', '--timeout', '3600');
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('node-3: asked for a pass, but no agent runs there'),
    });
  });

  it('should say that nothing listens in the pod', async () => {
    await agent.close();
    const { code, stderr } = await basekeeper('explain', 'node-1', BASE);
    expect(code).toBe(1);
    expect(stderr).toMatch(/by a port-forward: .*failed to connect to localhost:\d+/);
  });

  it.each([
    [['status', 'gone'], 1, 'nodes "gone" not found'],
    [['status', '--context', 'gone'], 2, 'the kubeconfig has no context "gone"; check --context'],
    [['status', '--kubeconfig', '/nonexistent'], 2, 'the kubeconfig cannot be read'],
    [['mode', 'gone', 'off'], 1, 'nodes "gone" not found'],
  ])('should say what is wrong: %j', async (args, code, message) => {
    const ran = await basekeeper(...args);
    expect(ran.code).toBe(code);
    expect(ran.stderr).toContain(message);
  });
});
