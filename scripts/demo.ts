/** npm run demo [-- --no-cluster]: a node with VMs and a cache of base images, and what one enforced pass of Basekeeper makes of it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pagesPortAfter } from '../src/config/default-port.ts';
import { messageOf } from '../src/lib/errors.ts';
import { startAgent } from './demo/agent.ts';
import { registerObjects, VMI_DEFINITION } from './demo/cluster.ts';
import { chapter, command, essentialsOfDescribe, highlightsOf, loud, note, show } from './demo/show.ts';
import { BASE_FILES, NAMESPACE, NODE_NAME, OVERLAYS, PUZZLE, WORKLOADS } from './demo/story.ts';
import { buildTree, type DemoTree } from './demo/tree.ts';
import { type ApiServer, startApiServer } from './lib/api-server.ts';
import { freePort } from './lib/free-port.ts';
import { ensureKubeAssets } from './lib/kube-assets.ts';
import { which } from './lib/run.ts';
import { cleanUpOnSignals } from './lib/signals.ts';
import { ensureSystemPackages, SYSTEM_PACKAGES } from './lib/system-packages.ts';
import { until } from './lib/until.ts';

const { values } = parseArgs({ options: { 'no-cluster': { type: 'boolean', default: false } } });
const COLUMNS = [
  'KIND:.kind',
  'NAME:.metadata.name',
  String.raw`IMAGE-REF:.metadata.annotations.basekeeper\.io/image-ref`,
  'DISK:.spec.volumes[*].containerDisk.image',
];
const bundle = fileURLToPath(new URL('../dist/basekeeper.js', import.meta.url));
const plugin = fileURLToPath(new URL('../dist/kubectl-basekeeper.js', import.meta.url));
const resources = new AsyncDisposableStack();
const interruption = new AbortController();

const WHO_RUNS = ['pods,vmi', '-n', NAMESPACE, '-o', `custom-columns=${COLUMNS.join(',')}`];

async function main(): Promise<void> {
  execFileSync(process.execPath, [fileURLToPath(new URL('build.ts', import.meta.url))]);
  const root = mkdtempSync(join(tmpdir(), 'basekeeper-demo-'));
  resources.defer(() => {
    rmSync(root, { recursive: true, force: true });
  });
  // What the API server's processes write lies in there as well, and so goes away with it.
  process.env['TMPDIR'] = root;
  const port = await freePort();
  const tree = buildTree(root, { qemuImg: await haveQemuImg(), httpPort: port });
  showTree(tree);
  const api = values['no-cluster'] ? undefined : await tryApiServer(tree);
  if (api === undefined) showPassWithoutCluster(tree);
  else await showPassOfAgent(api, { root, tree, port });
  chapter('Yours to try');
  show('  npm run basekeeper -- plan --instances-path DIR --workloads FILE     what a pass would do with your own directory');
  show('  npm run basekeeper -- --help                                         everything else');
}

async function haveQemuImg(): Promise<boolean> {
  try {
    await ensureSystemPackages(
      SYSTEM_PACKAGES.filter(({ name }) => name === 'qemu-utils'),
      note,
    );
  } catch (error) {
    loud(['qemu-img is missing and cannot be installed here: the overlays are written by the demo itself.']);
    note(messageOf(error));
  }
  return which('qemu-img') !== undefined;
}

function showTree({ instancesPath }: DemoTree): void {
  chapter(`A node with ${WORKLOADS.length} VMs and a cache of ${BASE_FILES.length} base files`);
  note(instancesPath);
  for (const { name, sizeMb, about } of BASE_FILES) show(`  _base/${name.padEnd(54)} ${String(sizeMb).padStart(3)} MB  ${about}`);
  for (const { instance, baseName } of OVERLAYS) show(`  ${instance}/disk → _base/${baseName}`);
}

async function tryApiServer(tree: DemoTree): Promise<ApiServer | undefined> {
  try {
    chapter('A real kube-apiserver that knows the node, its pods and its VMIs');
    const assetsDirectory = await ensureKubeAssets({ announce: note });
    const started = performance.now();
    const starting = startApiServer({ assetsDirectory, crds: [VMI_DEFINITION] });
    resources.defer(async () =>
      starting.then(
        async (api) => api.stop(),
        () => {},
      ),
    );
    const api = await starting;
    await registerObjects(api, tree.instancesPath);
    const { gitVersion } = (await api.request('GET', '/version')) as { readonly gitVersion: string };
    note(`${gitVersion} at ${api.url}, up in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    command(`kubectl get ${WHO_RUNS.join(' ')}`);
    show(await api.kubectl('get', ...WHO_RUNS));
    return api;
  } catch (error) {
    if (interruption.signal.aborted) throw error;
    loud([
      'There is no Kubernetes API server here: the demo goes on WITHOUT A CLUSTER, on a workloads file.',
      'No node annotations, no events, no agent.',
    ]);
    note(messageOf(error));
    return undefined;
  }
}

/** Runs the command line as a user would; with `lastLine`, shows no more of it than that. */
function basekeeper(args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly lastLine?: boolean } = {}): void {
  const shown = `basekeeper ${args.map((it) => it.replace(/^.*basekeeper-demo-[^/]*\//, '')).join(' ')}`;
  command(options.lastLine ? `${shown} | tail -n 1` : shown);
  run(bundle, args, options);
}

function run(
  program: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly lastLine?: boolean } = {},
): void {
  const { status, stdout } = spawnSync(process.execPath, [program, ...args], {
    stdio: ['ignore', options.lastLine ? 'pipe' : 'inherit', 'inherit'],
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
  });
  if (options.lastLine) show(stdout.trimEnd().split('\n').at(-1));
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}

function showPassWithoutCluster(tree: DemoTree): void {
  const options = ['--config', tree.configPath, '--workloads', tree.workloadsPath];
  chapter('The plan: a verdict and a reason for each file');
  basekeeper(['plan', ...options]);
  chapter('One enforced pass');
  const before = readdirSync(tree.basePath);
  basekeeper(['pass', ...options], { lastLine: true });
  showRemoved(before, tree);
}

async function showPassOfAgent(api: ApiServer, { root, tree, port }: { root: string; tree: DemoTree; port: number }): Promise<void> {
  chapter('The plan: a verdict and a reason for each file');
  basekeeper(['plan', '--config', tree.configPath], { env: { KUBECONFIG: api.kubeconfigPath } });

  chapter('The agent makes one enforced pass');
  const before = readdirSync(tree.basePath);
  command('basekeeper agent --config config.yaml &');
  const agent = startAgent(bundle, { root, configPath: tree.configPath, kubeconfigPath: api.kubeconfigPath });
  resources.defer(async () => {
    await agent.stop();
  });
  const description = await until('the events of the first pass on the node', 60_000, async () => {
    agent.assertAlive();
    const text = await api.kubectl('describe', 'node', NODE_NAME);
    return text.includes('BaseFilesRemoved') && text.includes('basekeeper.io/last-pass') ? text : undefined;
  });
  showRemoved(before, tree);

  chapter('What an operator sees');
  command(`kubectl describe node ${NODE_NAME}`);
  show(essentialsOfDescribe(description));
  show();
  command('kubectl basekeeper status');
  run(plugin, ['status', '--kubeconfig', api.kubeconfigPath]);
  show();
  command(`curl http://127.0.0.1:${port}/metrics     (some of what is not zero)`);
  show(highlightsOf(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()));

  chapter('Why is that file still here?');
  basekeeper(['explain', PUZZLE, '--agent', `http://127.0.0.1:${pagesPortAfter(port)}`]);
}

function showRemoved(before: readonly string[], { basePath }: DemoTree): void {
  const after = new Set(readdirSync(basePath));
  for (const { name, sizeMb, about } of BASE_FILES.filter((file) => before.includes(file.name) && !after.has(file.name)))
    show(`  removed _base/${name.padEnd(54)} ${String(sizeMb).padStart(3)} MB  ${about}`);
  show(`  ${after.size} of ${before.length} files are left`);
}

cleanUpOnSignals(async () => {
  interruption.abort();
  console.error('\nStopping what was started, removing what was written …');
  await resources.disposeAsync();
});
try {
  await main();
} catch (error) {
  if (!interruption.signal.aborted) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
} finally {
  if (!interruption.signal.aborted) await resources.disposeAsync();
}
