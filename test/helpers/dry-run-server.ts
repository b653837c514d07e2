import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kubeAssetsDirectory } from '../../scripts/lib/kube-assets.ts';
import { titleOf, type Manifest } from './helm.ts';
import { asAdmin, installCrds, startKubeServer } from './kube-server.ts';

export interface DryRunServer {
  /** What kubectl prints of each object that the API server, with all its validation and admission, would take; an unknown field is an error. */
  dryRun(manifests: readonly Manifest[]): Promise<string[]>;
  kubectl(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** A real API server that is asked what it would make of manifests. `crds`: files of definitions that it has. */
export async function dryRunServer(...crds: readonly string[]): Promise<DryRunServer> {
  const server = await startKubeServer();
  const directory = await mkdtemp(join(tmpdir(), 'basekeeper-dry-run-'));
  await installCrds(server, ...crds);
  const kubectl = async (...args: readonly string[]) => {
    const path = join(kubeAssetsDirectory() ?? '', 'kubectl');
    return (await promisify(execFile)(path, ['--kubeconfig', server.kubeconfigPath, ...args])).stdout;
  };
  return {
    kubectl,
    async dryRun(manifests) {
      const namespaces = new Set(manifests.map(({ metadata }) => metadata.namespace).filter((name) => name !== undefined));
      for (const name of namespaces) {
        if (name !== 'default') await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name } }).catch(ignoreExisting);
      }
      const file = join(directory, 'manifests.json');
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
      const printed = await kubectl('apply', '--server-side', '--dry-run=server', '--validate=strict', '--filename', file);
      const lines = printed.trim().split('\n');
      const refused = lines.filter((line) => !line.endsWith('serverside-applied (server dry run)'));
      if (refused.length > 0) throw new Error(`${manifests.map(titleOf).join(', ')}:\n${refused.join('\n')}`);
      return lines;
    },
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function ignoreExisting(error: unknown): void {
  if (!String(error).includes('409')) throw error;
}
