/** A cluster on this machine, without Docker: one-node.sh. Needs root on Debian or Ubuntu. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureKubeAssets, NODE_COMPONENTS } from '../../../scripts/lib/kube-assets.ts';
import { announceOnStderr } from '../../../scripts/lib/run.ts';
import { ensureSystemPackages } from '../../../scripts/lib/system-packages.ts';
import { messageOf } from '../../../src/lib/errors.ts';
import { buildahEnvironment, buildWithBuildah } from '../image/build.ts';
import { output } from '../lib/command.ts';
import { unmountBelow } from '../lib/mounts.ts';
import { CLUSTER_PACKAGES } from '../lib/packages.ts';
import type { Cluster } from './cluster.ts';
import { makeSharedDirectory, removeSharedDirectory } from './shared-directory.ts';

const script = fileURLToPath(new URL('one-node.sh', import.meta.url));

/** Makes an image below a directory, in buildah's environment, and returns its archive. */
type BuildImage = (directory: string, env: NodeJS.ProcessEnv) => Promise<string>;

/** Starts it, with everything that it writes below `directory`; what an earlier run has left there is taken down first. */
export async function startOneNode(directory: string, buildImage: BuildImage = buildWithBuildah): Promise<Cluster> {
  if (process.getuid?.() !== 0) {
    throw new Error('Without Docker and kind, and without KUBECONFIG, the end-to-end test makes a cluster of its own: run it as root.');
  }
  await ensureSystemPackages(CLUSTER_PACKAGES, announceOnStderr);
  const binaries = await ensureKubeAssets({ components: NODE_COMPONENTS });
  const state = join(directory, 'state');
  const images = join(directory, 'images');
  // Not below the user's cache: pods of other users must be able to enter every directory on the way.
  const sharedDirectory = join(tmpdir(), 'basekeeper-e2e-shared');
  const stop = async () => {
    await output('bash', [script, 'down', state]);
    await unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true });
    await removeSharedDirectory(sharedDirectory);
  };
  await stop();
  const shared = await makeSharedDirectory(sharedDirectory);
  const env = buildahEnvironment(join(images, 'storage'));
  const up = output('bash', [script, 'up', state, binaries], { env });
  const building = buildImage(images, env);
  let archive: string;
  try {
    [archive] = await Promise.all([building, up]);
  } catch (error) {
    announceOnStderr(`e2e: the cluster cannot be had: ${messageOf(error)}`);
    // Both have ended before anything is taken down, so that nothing appears behind its back.
    await Promise.allSettled([building, up]);
    await stop();
    throw error;
  }
  return {
    access: {
      kind: 'one-node',
      prefix: ['nsenter', '--net=/run/netns/basekeeper-node'],
      kubeconfig: join(state, 'admin.kubeconfig'),
      kubectl: join(binaries, 'kubectl'),
      node: 'node-a',
      ...shared,
      imageArchive: archive,
      auditLog: join(state, 'log', 'audit.jsonl'),
    },
    loadImage: async () => {
      await output('bash', [script, 'load', state, archive]);
    },
    stop,
  };
}
