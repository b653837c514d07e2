import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHART, ROOT } from '../../../scripts/chart/generated.ts';
import { kubeAssetsDirectory } from '../../../scripts/lib/kube-assets.ts';
import { prometheusOperatorCrd } from '../../../scripts/lib/tools.ts';
import { helm, manifestsIn, type Manifest } from '../../helpers/helm.ts';
import { asAdmin, installCrds, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';

const run = promisify(execFile);
const valuesFiles = await readdir(`${CHART}/ci`);
let server: KubeServer;
let directory: string;

beforeAll(async () => {
  server = await startKubeServer();
  directory = await mkdtemp(join(tmpdir(), 'basekeeper-dry-run-'));
  const kinds = ['podmonitors', 'servicemonitors', 'prometheusrules'];
  await installCrds(server, ...(await Promise.all(kinds.map(prometheusOperatorCrd))), `${ROOT}test/fixtures/grafana/dashboards.yaml`);
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function kubectl(...args: readonly string[]): Promise<string> {
  const path = join(kubeAssetsDirectory() ?? '', 'kubectl');
  return (await run(path, ['--kubeconfig', server.kubeconfigPath, ...args])).stdout;
}

/** What the API server, with all its validation and admission, would make of these; a field that it does not know is an error. */
async function dryRun(manifests: readonly Manifest[]): Promise<string[]> {
  const namespaces = new Set(manifests.map(({ metadata }) => metadata.namespace).filter((name) => name !== undefined));
  for (const name of namespaces) {
    if (name !== 'default') await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name } }).catch(ignoreExisting);
  }
  const file = join(directory, 'manifests.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
  const printed = await kubectl('apply', '--server-side', '--dry-run=server', '--validate=strict', '--filename', file);
  return printed.trim().split('\n');
}

function ignoreExisting(error: unknown): void {
  if (!String(error).includes('409')) throw error;
}

describe('the API server', () => {
  it.each(valuesFiles)('should accept everything that ci/%s renders', async (file) => {
    const manifests = manifestsIn(await helm(3, 'template', 'release', CHART, '--namespace', 'ns', '--values', `${CHART}/ci/${file}`));
    const accepted = await dryRun(manifests);
    expect(accepted).toHaveLength(manifests.length);
    for (const line of accepted) expect(line).toMatch(/serverside-applied \(server dry run\)$/);
  });

  it.each(['dry-run', 'enforce'])('should accept the manifests of the overlay %s', async (overlay) => {
    const manifests = manifestsIn(await kubectl('kustomize', `${ROOT}manifests/overlays/${overlay}`));
    expect(await dryRun(manifests)).toHaveLength(manifests.length);
  });
});
