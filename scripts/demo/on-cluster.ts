/** The second half of the demo: the same by an agent that knows its node, pods and VMIs from a real API server. */
import { readdirSync } from 'node:fs';
import { pagesPortAfter } from '../../src/config/default-port.ts';
import { type ApiServer, startApiServer } from '../lib/api-server.ts';
import { until } from '../lib/until.ts';
import { startAgent } from './agent.ts';
import { registerObjects, VMI_DEFINITION } from './cluster.ts';
import { basekeeper, BUNDLE, PLUGIN, run } from './command-line.ts';
import { showRemoved } from './on-disk.ts';
import { chapter, command, essentialsOfDescribe, highlightsOf, note, show } from './show.ts';
import { NAMESPACE, NODE_NAME, PUZZLE } from './story.ts';
import type { DemoTree } from './tree.ts';

const COLUMNS = [
  'KIND:.kind',
  'NAME:.metadata.name',
  String.raw`IMAGE-REF:.metadata.annotations.basekeeper\.io/image-ref`,
  'DISK:.spec.volumes[*].containerDisk.image',
];
const WHO_RUNS = ['pods,vmi', '-n', NAMESPACE, '-o', `custom-columns=${COLUMNS.join(',')}`];

/** Starts it with the objects of the story; what has to be stopped goes into `resources`. */
export async function startCluster(assetsDirectory: string, tree: DemoTree, resources: AsyncDisposableStack): Promise<ApiServer> {
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
}

export async function showPassOfAgent(
  api: ApiServer,
  { root, tree, port }: { readonly root: string; readonly tree: DemoTree; readonly port: number },
  resources: AsyncDisposableStack,
): Promise<void> {
  chapter('The agent makes one enforced pass');
  const before = readdirSync(tree.basePath);
  command('basekeeper agent --config config.yaml &');
  const agent = startAgent(BUNDLE, { root, configPath: tree.configPath, kubeconfigPath: api.kubeconfigPath });
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
  await run(PLUGIN, ['status', '--kubeconfig', api.kubeconfigPath]);
  show();
  command(`curl http://127.0.0.1:${port}/metrics     (some of what is not zero)`);
  show(highlightsOf(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()));

  chapter('Why is that file still here?');
  await basekeeper(['explain', PUZZLE, '--agent', `http://127.0.0.1:${pagesPortAfter(port)}`]);
}
