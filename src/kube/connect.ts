import { systemClock } from '../lib/clock.ts';
import { VERSION } from '../lib/version.ts';
import { createKubeClient } from './client/client.ts';
import { findKubeConfig, type ClusterPlace } from './credentials/config.ts';
import { createCredentialSource, type CredentialSource } from './credentials/credentials.ts';
import { createOwnNode, type WatchedNode } from './own-node.ts';
import type { WatchSettings } from './watch/options.ts';
import { createReconnect } from './watch/reconnect.ts';
import type { KubeClient, RequestObserver } from './types.ts';

export interface Cluster {
  readonly client: KubeClient;
  readonly node: WatchedNode;
  /** For every other watch through this client. */
  readonly watches: WatchSettings;
}

/** Throws when neither a kubeconfig nor a service account can be found. */
export async function connectToCluster(nodeName: string, observe: RequestObserver | undefined): Promise<Cluster> {
  const client = await connectClient({ observe });
  const reconnect = createReconnect(() => systemClock.now().monotonicMs, Math.random);
  const watches: WatchSettings = { client, clock: systemClock, random: Math.random, reconnect };
  return { client, watches, node: createOwnNode({ ...watches, nodeName }) };
}

export interface ClientOptions {
  readonly observe?: RequestObserver | undefined;
  readonly place?: ClusterPlace | undefined;
}

export const USER_AGENT = `basekeeper/${VERSION}`;

/** The client alone. Throws when neither a kubeconfig nor a service account can be found. */
export async function connectClient({ observe, place }: ClientOptions = {}): Promise<KubeClient> {
  return createKubeClient({ kubeConfig: await findCredentials(place), userAgent: USER_AGENT, observe });
}

/** For what asks the cluster with the same credentials. Throws when neither a kubeconfig nor a service account can be found. */
export async function findCredentials(place?: ClusterPlace): Promise<CredentialSource> {
  return createCredentialSource(await findKubeConfig(process.env, place));
}
