/** What a person with kubectl and Helm does, for tests. */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { until } from '../../../scripts/lib/until.ts';
import { CHART, ROOT } from '../../../scripts/chart/generated.ts';
import { ensureHelm, type HelmMajor } from '../../../scripts/lib/tools.ts';
import type { ClusterAccess } from '../cluster/cluster.ts';
import { IMAGE } from '../image/build.ts';
import { output } from './command.ts';

export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export type Session = ReturnType<typeof createSession>;

export function createSession(access: ClusterAccess, namespace: string) {
  const plugins = join(access.sharedDirectory, 'plugins');
  const PATH = [plugins, dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH, KUBECONFIG: access.kubeconfig, HELM_CACHE_HOME: '', HELM_CONFIG_HOME: '', HELM_DATA_HOME: '' };
  const run = async (command: string, args: readonly string[]): Promise<string> => {
    const [first = command, ...rest] = [...access.prefix, command, ...args];
    return output(first, rest, { env });
  };
  const kubectl = async (...args: readonly string[]): Promise<string> => run(access.kubectl, args);
  const json = async <T>(...args: readonly string[]): Promise<T> => JSON.parse(await kubectl(...args, '--output', 'json')) as T;
  const helm = async (major: HelmMajor, ...args: readonly string[]): Promise<string> =>
    run(await ensureHelm(major), ['--namespace', namespace, ...args]);
  let files = 0;
  const apply = async (...objects: readonly object[]): Promise<void> => {
    const file = join(access.sharedDirectory, `apply-${(files += 1)}.json`);
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    await kubectl('apply', '--filename', file);
  };
  const annotationsOf = async (node: string) => (await json<KubeObject>('get', 'node', node)).metadata.annotations ?? {};
  const agentPods = async () =>
    (await json<{ items: KubeObject[] }>('--namespace', namespace, 'get', 'pods', '--selector', AGENT_SELECTOR)).items;
  return {
    namespace,
    kubectl,
    json,
    helm,
    apply,
    /** The command line as `npm run basekeeper` runs it here, beside the cluster. */
    basekeeper: async (...args: readonly string[]): Promise<string> =>
      run(process.execPath, [join(ROOT, 'dist', 'basekeeper.js'), ...args]),
    annotationsOf,
    agentPods,
    /** Puts the plugin `kubectl basekeeper` onto kubectl's PATH, as docs/kubectl.md says. */
    installPlugin: (): void => {
      mkdirSync(plugins, { recursive: true });
      copyFileSync(join(ROOT, 'dist', 'kubectl-basekeeper.js'), join(plugins, 'kubectl-basekeeper'));
      chmodSync(join(plugins, 'kubectl-basekeeper'), 0o755);
    },
    /** What a command of the plugin prints; rejects where its exit code is not 0. */
    plugin: async (...args: readonly string[]): Promise<string> => kubectl('basekeeper', ...args),
    /** The one agent on the node, once it is Ready and no other is. */
    readyAgent: async (): Promise<KubeObject> =>
      until('exactly one agent pod that is Ready', 90_000, async () => {
        const pods = await agentPods();
        return pods.length === 1 && pods[0] !== undefined && isReady(pods[0]) ? pods[0] : undefined;
      }),
    /** What the agent's HTTP server answers, through the API server. */
    agentGet: async (pod: string, port: number, path: string): Promise<string> =>
      // Of a pod that has just gone nobody says so: without a limit, the API server would wait half a minute for its address.
      kubectl('get', '--request-timeout=5s', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`),
    /** What a script of JavaScript prints that runs in the agent's container, as the agent's user: there is no shell. */
    runInAgent: async (pod: string, script: string, ...args: readonly string[]): Promise<string> => {
      const node = ['/nodejs/bin/node', '--input-type=module', '--eval', script, '--', ...args];
      return kubectl('--namespace', namespace, 'exec', pod, '--container', 'agent', '--', ...node);
    },
    /** What such a script prints in any pod with our image. */
    runInPod: async (podNamespace: string, pod: string, script: string, ...args: readonly string[]): Promise<string> =>
      kubectl('--namespace', podNamespace, 'exec', pod, '--', '/nodejs/bin/node', '--input-type=module', '--eval', script, '--', ...args),
    /** What such a script prints on the node itself. */
    runOnNode: async (script: string, ...args: readonly string[]): Promise<string> =>
      run(process.execPath, ['--input-type=module', '--eval', script, '--', ...args]),
    /** A kubeconfig with a token of a service account of this namespace. */
    kubeconfigOf: async (account: string): Promise<string> => {
      const token = (await kubectl('--namespace', namespace, 'create', 'token', account)).trim();
      const config = JSON.parse(await kubectl('config', 'view', '--raw', '--minify', '--output', 'json')) as { users: object[] };
      const path = join(access.sharedDirectory, `${account}.kubeconfig`);
      const [user] = config.users as { name: string }[];
      writeFileSync(path, JSON.stringify({ ...config, users: [{ name: user?.name, user: { token } }] }), { mode: 0o600 });
      return path;
    },
    /** Asks for a pass as an operator does and waits for the answer. */
    runNow: async (node: string): Promise<Readonly<Record<string, string>>> => {
      const value = String(Date.now());
      await kubectl('annotate', 'node', node, '--overwrite', `basekeeper.io/run-now=${value}`);
      return until(`basekeeper.io/run-now-done=${value}`, 60_000, async () => {
        const annotations = await annotationsOf(node);
        return annotations['basekeeper.io/run-now-done'] === value ? annotations : undefined;
      });
    },
  };
}

export const AGENT_SELECTOR = 'app.kubernetes.io/name=basekeeper,app.kubernetes.io/component=agent';

export function isReady(object: KubeObject): boolean {
  return (
    object.metadata.deletionTimestamp === undefined &&
    (object.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

/** Options of `helm install` and `upgrade` that every test gives: our image, and the tree of this test. */
export function helmOptions(instancesPath: string): string[] {
  const values = { image: { ...IMAGE, pullPolicy: 'Never' }, config: { instancesPath } };
  return [CHART, '--set-json', `image=${JSON.stringify(values.image)}`, '--set', `config.instancesPath=${instancesPath}`];
}
