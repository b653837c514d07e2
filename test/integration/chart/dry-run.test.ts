import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHART, ROOT } from '../../../scripts/chart/generated.ts';
import { prometheusOperatorCrd } from '../../../scripts/lib/tools.ts';
import { dryRunServer, type DryRunServer } from '../../helpers/dry-run-server.ts';
import { helm, manifestsIn } from '../../helpers/helm.ts';

const valuesFiles = await readdir(`${CHART}/ci`);
let server: DryRunServer;

beforeAll(async () => {
  const kinds = ['podmonitors', 'servicemonitors', 'prometheusrules'];
  server = await dryRunServer(...(await Promise.all(kinds.map(prometheusOperatorCrd))), `${ROOT}test/fixtures/grafana/dashboards.yaml`);
});

afterAll(async () => server.stop());

describe('the API server', () => {
  it.each(valuesFiles)('should accept everything that ci/%s renders', async (file) => {
    const manifests = manifestsIn(await helm(3, 'template', 'release', CHART, '--namespace', 'ns', '--values', `${CHART}/ci/${file}`));
    expect(await server.dryRun(manifests)).toHaveLength(manifests.length);
  });

  it.each(['dry-run', 'enforce'])('should accept the manifests of the overlay %s', async (overlay) => {
    const manifests = manifestsIn(await server.kubectl('kustomize', `${ROOT}manifests/overlays/${overlay}`));
    expect(await server.dryRun(manifests)).toHaveLength(manifests.length);
  });
});
