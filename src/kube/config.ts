import type { KubeConfig } from '@kubernetes/client-node';
import { UsageError, messageOf } from '../lib/errors.ts';

/** Reads the kubeconfig anew at every call, so that what was rotated on disk is picked up. */
export type KubeConfigLoader = () => KubeConfig;

/**
 * Finds the cluster in the order of controller-runtime: `KUBECONFIG`, the service account of the pod that we run in, `~/.kube/config`.
 * The loader throws `UsageError` when there is none, or when it cannot be read. client-node is loaded here and not before: commands
 * that need no cluster do without it.
 */
export async function findKubeConfig(env: Readonly<Record<string, string | undefined>>): Promise<KubeConfigLoader> {
  const { KubeConfig: Config } = await import('./kube-config.ts');
  const named = env['KUBECONFIG'] !== undefined && env['KUBECONFIG'] !== '';
  const inCluster = !named && env['KUBERNETES_SERVICE_HOST'] !== undefined && env['KUBERNETES_SERVICE_PORT'] !== undefined;
  return () => {
    const config = new Config();
    try {
      if (inCluster) config.loadFromCluster();
      else config.loadFromDefault();
    } catch (error) {
      throw new UsageError(`the kubeconfig cannot be read: ${messageOf(error)}`, { cause: error });
    }
    const server = config.getCurrentCluster()?.server;
    // The last is what client-node makes up when it finds nothing.
    if (server === undefined || server === 'http://localhost:8080') {
      throw new UsageError('there is no cluster: set KUBECONFIG, or give the workloads in a file (--workloads FILE)');
    }
    return config;
  };
}
