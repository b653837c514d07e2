/**
 * npm run demo [-- --no-cluster]: a node with VMs and a cache of base images, and what Basekeeper makes of it. First what needs no API
 * server, within seconds, while that is downloaded or built; then the same on it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { showPassOfAgent, startCluster } from './demo/on-cluster.ts';
import { showPassOnDisk, showTree } from './demo/on-disk.ts';
import { chapter, loud, note, show } from './demo/show.ts';
import { buildTree, type DemoTree } from './demo/tree.ts';
import type { ApiServer } from './lib/api-server.ts';
import { freePort } from './lib/free-port.ts';
import { ensureKubeAssets } from './lib/kube-assets.ts';
import { which } from './lib/run.ts';
import { cleanUpOnSignals } from './lib/signals.ts';

const { values } = parseArgs({ options: { 'no-cluster': { type: 'boolean', default: false } } });
const resources = new AsyncDisposableStack();
const interruption = new AbortController();

async function main(): Promise<void> {
  execFileSync(process.execPath, [fileURLToPath(new URL('build.ts', import.meta.url))]);
  const root = mkdtempSync(join(tmpdir(), 'basekeeper-demo-'));
  resources.defer(() => {
    rmSync(root, { recursive: true, force: true });
  });
  // What the API server's processes write lies in there as well, and so goes away with it.
  process.env['TMPDIR'] = root;
  const port = await freePort();
  const cluster = values['no-cluster'] ? undefined : fetchCluster();
  const tree = newTree(root, 'disk', port);
  showTree(tree);
  await showPassOnDisk(tree);
  if (cluster !== undefined) await showOnCluster(cluster, { root, port });
  chapter('Yours to try');
  show('  npm run basekeeper -- plan --instances-path DIR --workloads FILE     what a pass would do with your own directory');
  show('  npm run basekeeper -- --help                                         everything else');
}

/** A directory of its own for each half: what a pass has removed is there again. */
function newTree(root: string, name: string, httpPort: number): DemoTree {
  const qemuImg = which('qemu-img') !== undefined;
  const directory = join(root, name);
  mkdirSync(directory);
  const tree = buildTree(directory, { qemuImg, httpPort });
  if (!qemuImg) note('qemu-img is missing: the overlays are written by the demo itself.');
  return tree;
}

interface Fetched {
  /** The directory of the binaries, or why there are none. */
  readonly assets: Promise<{ readonly directory: string } | { readonly failure: unknown }>;
  /** Shows what was announced up to now, and from now on each line at once. */
  showProgress(): void;
}

/** Begins at once; its lines wait, so that they do not come between those of the first half. */
function fetchCluster(): Fetched {
  const waiting: string[] = [];
  let announce = (line: string): void => void waiting.push(line);
  const assets = ensureKubeAssets({ announce: (line) => announce(line) }).then(
    (directory) => ({ directory }),
    (failure: unknown) => ({ failure }),
  );
  return {
    assets,
    showProgress() {
      for (const line of waiting.splice(0)) note(line);
      announce = note;
    },
  };
}

async function showOnCluster(cluster: Fetched, { root, port }: { readonly root: string; readonly port: number }): Promise<void> {
  chapter('The same with a real kube-apiserver that knows the node, its pods and its VMIs');
  cluster.showProgress();
  const tree = newTree(root, 'cluster', port);
  const api = await tryCluster(cluster, tree);
  if (api !== undefined) await showPassOfAgent(api, { root, tree, port }, resources);
}

async function tryCluster(cluster: Fetched, tree: DemoTree): Promise<ApiServer | undefined> {
  try {
    const assets = await cluster.assets;
    if ('failure' in assets) throw assets.failure;
    return await startCluster(assets.directory, tree, resources);
  } catch (error) {
    if (interruption.signal.aborted) throw error;
    loud(['There is no Kubernetes API server here: the demo ends WITHOUT A CLUSTER.', 'No node annotations, no events, no agent.']);
    note(messageOf(error));
    return undefined;
  }
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
