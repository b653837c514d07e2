/** Somebody's cluster, by KUBECONFIG: one of its nodes is this machine. */
import { join } from 'node:path';
import { output } from '../lib/command.ts';
import type { Cluster } from './cluster.ts';
import { makeSharedDirectory, removeSharedDirectory } from './shared-directory.ts';

/**
 * `E2E_NODE` names the node and `E2E_DIRECTORY` a directory that is at the same path here and there. They are asked for so that a KUBECONFIG
 * that just happens to be set is not taken for permission. The node must have the image already, or be able to pull it: `E2E_LOAD_IMAGE` is a
 * shell command that brings it there.
 */
export async function useExisting(kubeconfig: string, env: NodeJS.ProcessEnv): Promise<Cluster> {
  const [node, parent, load] = [env['E2E_NODE'], env['E2E_DIRECTORY'], env['E2E_LOAD_IMAGE']];
  if (node === undefined || parent === undefined) {
    throw new Error(
      `KUBECONFIG is set (${kubeconfig}). To test on that cluster, set E2E_NODE to a node of it and E2E_DIRECTORY to a directory that is at the ` +
        'same path here and on that node. To test on a cluster of its own, unset KUBECONFIG.',
    );
  }
  await output('kubectl', ['--kubeconfig', kubeconfig, 'get', 'node', node]);
  const sharedDirectory = join(parent, 'basekeeper-e2e');
  const shared = await makeSharedDirectory(sharedDirectory);
  return {
    access: { kind: 'existing', prefix: [], kubeconfig, kubectl: 'kubectl', node, ...shared },
    loadImage: async () => {
      if (load !== undefined) await output('sh', ['-c', load]);
    },
    stop: () => removeSharedDirectory(sharedDirectory),
  };
}
