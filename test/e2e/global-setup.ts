/** Stands up the cluster, with the image on its node, for all end-to-end tests; takes it down whatever becomes of them. */
import type { TestProject } from 'vitest/node';
import { announceOnStderr } from '../../scripts/lib/run.ts';
import { ensureHelm } from '../../scripts/lib/tools.ts';
import type { Cluster, ClusterAccess } from './cluster/cluster.ts';
import { useExisting } from './cluster/existing.ts';
import { holdClusterDirectory } from './cluster/hold.ts';
import { canUseKind, startKind } from './cluster/kind.ts';
import { startOneNode } from './cluster/one-node.ts';

declare module 'vitest' {
  interface ProvidedContext {
    cluster: ClusterAccess;
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const directory = await holdClusterDirectory();
  await ensureHelm(3);
  await ensureHelm(4);
  const cluster = await timed('cluster and image', () => startCluster(directory));
  try {
    await timed('loading the image', () => cluster.loadImage());
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  project.provide('cluster', cluster.access);
  return async () => {
    await timed('taking the cluster down', () => cluster.stop());
  };
}

async function startCluster(directory: string): Promise<Cluster> {
  const kubeconfig = process.env['KUBECONFIG'];
  if (kubeconfig !== undefined && kubeconfig !== '') return useExisting(kubeconfig, process.env);
  return (await canUseKind()) ? startKind(directory) : startOneNode(directory);
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  announceOnStderr(`e2e: ${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}
