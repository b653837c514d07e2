/** A cluster in Docker, by kind. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { which } from '../../../scripts/lib/run.ts';
import { buildWithDocker, IMAGE_NAME } from '../image/build.ts';
import { output } from '../lib/command.ts';
import type { Cluster } from './cluster.ts';
import { makeSharedDirectory, removeSharedDirectory } from './shared-directory.ts';

const NAME = 'basekeeper-e2e';

/** Whether Docker's engine answers and kind is there. */
export async function canUseKind(): Promise<boolean> {
  if (which('kind') === undefined || which('docker') === undefined || which('kubectl') === undefined) return false;
  try {
    await output('docker', ['version'], { timeoutMs: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** Creates it; one that an earlier run has left behind is deleted first. */
export async function startKind(directory: string): Promise<Cluster> {
  const kubeconfig = join(directory, 'kubeconfig');
  const sharedDirectory = join(directory, 'shared');
  const stop = async () => {
    await output('kind', ['delete', 'cluster', '--name', NAME, '--kubeconfig', kubeconfig]);
    await removeSharedDirectory(sharedDirectory);
    rmSync(directory, { recursive: true, force: true });
  };
  mkdirSync(directory, { recursive: true });
  await stop();
  const shared = await makeSharedDirectory(sharedDirectory);
  const imageArchive = join(directory, 'image.tar');
  const configuration = join(directory, 'kind.yaml');
  const mount = { hostPath: sharedDirectory, containerPath: sharedDirectory };
  const nodes = [{ role: 'control-plane', extraMounts: [mount] }];
  writeFileSync(configuration, stringify({ apiVersion: 'kind.x-k8s.io/v1alpha4', kind: 'Cluster', nodes }));
  try {
    await buildWithDocker(imageArchive);
    await output('kind', ['create', 'cluster', '--name', NAME, '--kubeconfig', kubeconfig, '--config', configuration, '--wait', '2m']);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    access: { kind: 'kind', prefix: [], kubeconfig, kubectl: 'kubectl', node: `${NAME}-control-plane`, ...shared, imageArchive },
    loadImage: async () => {
      await output('kind', ['load', 'docker-image', IMAGE_NAME, '--name', NAME]);
    },
    stop,
  };
}
