/** Lists all pods as the source `pods` does, by the kubeconfig in argv, and prints how many there are. */
import { KubeConfig } from '@kubernetes/client-node';
import { createKubeClient } from '../../src/kube/client/client.ts';
import { listObjects } from '../../src/kube/watch/list.ts';
import { mapPod } from '../../src/sources/pods/map-pod.ts';
import { POD_RULES } from './kube-objects.ts';

const [kubeconfigPath = ''] = process.argv.slice(2);
const kubeConfig = (): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath);
  return config;
};
const client = createKubeClient({ kubeConfig, userAgent: 'basekeeper/test' });
const rules = { selector: undefined, ...POD_RULES, instancesPath: '/var/lib/nova/instances', resolveLaunchers: true };
const { signal } = new AbortController();
const request = { path: '/api/v1/pods', query: {}, accept: undefined, pageSize: 500, signal };
let seen = 0;
const select = (pod: unknown): unknown => {
  seen += 1;
  return mapPod(pod, rules);
};
for (const resourceVersion of ['0', undefined]) await listObjects(client, { ...request, resourceVersion }, select);
client.close();
process.stdout.write(String(seen));
