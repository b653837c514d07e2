import { Buffer } from 'node:buffer';
import type { KubeClient } from '../../../kube/types.ts';
import { messageOf } from '../../../lib/errors.ts';
import { asObject, field } from '../../../lib/json.ts';
import type { Hypervisor, MountedObject } from '../hypervisors.ts';
import type { NovaConfig } from './config.ts';

export interface NovaConfigOptions {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  /** Whether Secrets are read: they hold passwords beside what is looked for. */
  readonly secrets: boolean;
}

/** What the pods of nova-compute mount as configuration: of each owner, one pod. */
export async function readNovaConfigs(pods: readonly Hypervisor[], options: NovaConfigOptions): Promise<readonly NovaConfig[]> {
  const owners = Map.groupBy(
    pods.filter(({ runsNovaCompute }) => runsNovaCompute),
    ({ namespace, owner }) => `${namespace} ${owner}`,
  );
  const configs: NovaConfig[] = [];
  for (const [pod, ...others] of owners.values()) if (pod !== undefined) configs.push(await configOf(pod, others, options));
  return configs;
}

async function configOf(pod: Hypervisor, others: readonly Hypervisor[], options: NovaConfigOptions): Promise<NovaConfig> {
  const { namespace, name, owner, container, configuration } = pod;
  const [files, unread]: [string[], string[]] = [[], []];
  for (const mounted of configuration) {
    const what = `${mounted.kind} ${mounted.name}`;
    if (mounted.kind === 'Secret' && !options.secrets) {
      unread.push(`${what} (--secrets reads it)`);
      continue;
    }
    try {
      files.push(...(await filesOf(namespace, mounted, options)));
    } catch (error) {
      unread.push(`${what} (${messageOf(error)})`);
    }
  }
  const command = `kubectl exec --namespace ${namespace} ${name} --container ${container} -- grep -rs remove_unused_base_images /etc/nova`;
  return { owner, namespace, nodes: [pod, ...others].map(({ node }) => node), files, unread, command };
}

async function filesOf(namespace: string, { kind, name }: MountedObject, { client, signal }: NovaConfigOptions): Promise<string[]> {
  const resource = kind === 'Secret' ? 'secrets' : 'configmaps';
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;
  const data = Object.entries(asObject(field(await client.request({ method: 'GET', path, signal }), 'data')) ?? {});
  const texts = data.flatMap(([key, value]) => (/^nova.*\.conf$/.test(key) && typeof value === 'string' ? [value] : []));
  return kind === 'Secret' ? texts.map((text) => Buffer.from(text, 'base64').toString('utf8')) : texts;
}
