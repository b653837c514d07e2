import type { KubeConfig } from '@kubernetes/client-node';
import { UsageError, messageOf } from '../../lib/errors.ts';

/** Reads the kubeconfig again at every call, so that what was rotated on disk is picked up. */
export type KubeConfigLoader = () => KubeConfig;

/** Which cluster a person asked for. */
export interface ClusterPlace {
  /** Path of the kubeconfig; wins over `KUBECONFIG` and the service account. */
  readonly kubeconfig?: string | undefined;
  /** Context of the kubeconfig; default: its current one. */
  readonly context?: string | undefined;
}

/**
 * Finds the cluster in the order of controller-runtime: `KUBECONFIG`, the service account of the pod that we run in, `~/.kube/config`.
 * The loader throws `UsageError` when there is none, or when it cannot be read. client-node is loaded here and not before: commands
 * that need no cluster do without it.
 */
export async function findKubeConfig(
  env: Readonly<Record<string, string | undefined>>,
  place: ClusterPlace = {},
): Promise<KubeConfigLoader> {
  const { KubeConfig: Config } = await import('./kube-config.ts');
  const named = env['KUBECONFIG'] !== undefined && env['KUBECONFIG'] !== '';
  const inCluster = !named && env['KUBERNETES_SERVICE_HOST'] !== undefined && env['KUBERNETES_SERVICE_PORT'] !== undefined;
  return () => {
    const config = new Config();
    try {
      if (place.kubeconfig !== undefined) config.loadFromFile(place.kubeconfig);
      else if (inCluster && place.context === undefined) config.loadFromCluster();
      else config.loadFromDefault();
    } catch (error) {
      throw new UsageError(`the kubeconfig cannot be read: ${messageOf(error)}`, { cause: error });
    }
    if (place.context !== undefined) chooseContext(config, place.context);
    const server = config.getCurrentCluster()?.server;
    // The last is what client-node makes up when it finds nothing.
    if (server === undefined || server === 'http://localhost:8080') {
      throw new UsageError('there is no cluster: set KUBECONFIG, or give the workloads in a file (--workloads FILE)');
    }
    return config;
  };
}

function chooseContext(config: KubeConfig, name: string): void {
  if (config.getContextObject(name) === null) throw new UsageError(`the kubeconfig has no context "${name}"; check --context`);
  config.setCurrentContext(name);
}
