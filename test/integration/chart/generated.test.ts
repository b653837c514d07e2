import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART, generatedFiles, ROOT } from '../../../scripts/chart/generated.ts';
import { kubeAssetsDirectory } from '../../../scripts/lib/kube-assets.ts';
import { ensureHelm } from '../../../scripts/lib/tools.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { at, manifestsIn, only } from '../../helpers/helm.ts';

const values = parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as { config: Record<string, unknown> & { http: object } };
const chart = parse(readFileSync(`${CHART}/Chart.yaml`, 'utf8')) as { version: string; appVersion: string };

function kustomize(overlay: string) {
  const kubectl = join(kubeAssetsDirectory() ?? '', 'kubectl');
  return manifestsIn(execFileSync(kubectl, ['kustomize', `${ROOT}manifests/overlays/${overlay}`], { encoding: 'utf8' }));
}

describe('generated files of the chart', () => {
  it('should be what `npm run generate:chart` would write, and no others', async () => {
    const generated = generatedFiles(await ensureHelm(3));
    for (const [path, content] of generated) expect(readFileSync(`${ROOT}${path}`, 'utf8'), path).toBe(content);
    const manifests = globSync('manifests/**/*.yaml', { cwd: ROOT });
    expect(manifests.toSorted()).toEqual([...generated.keys()].filter((path) => path.startsWith('manifests/')).toSorted());
  });

  it('should hold defaults of the configuration that are the code’s own', () => {
    const { config } = loadConfig({ env: { NODE_NAME: 'node' } });
    expect(config).toMatchObject(values.config);
  });

  it('should give every template the defaults of missing sections first', () => {
    const templates = globSync('templates/**/*.{yaml,txt}', { cwd: CHART });
    expect(templates.length).toBeGreaterThan(10);
    const first = '{{- include "basekeeper.defaults" . -}}\n';
    expect(templates.filter((path) => !readFileSync(join(CHART, path), 'utf8').startsWith(first))).toEqual([]);
  });

  it('should carry the version of the package', () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
    expect(chart).toMatchObject({ version, appVersion: version });
  });
});

describe('manifests for users without Helm', () => {
  it.each(['dry-run', 'enforce'])('should run the agents in the mode of the overlay %s', (mode) => {
    const manifests = kustomize(mode);
    const config = only(manifests, 'ConfigMap');
    expect(parse(at(config, 'data.config\\.yaml') as string)).toEqual({
      ...values.config,
      mode,
      http: { ...values.config.http, hostNames: expect.arrayContaining(['basekeeper.basekeeper.svc']) as unknown },
    });
    // A name that follows from the content is what restarts the pods.
    expect(at(only(manifests, 'DaemonSet'), 'spec.template.spec.volumes.0.configMap.name')).toBe(config.metadata.name);
    expect(config.metadata.name).toMatch(/^basekeeper-[a-z0-9]{10}$/);
  });

  it('should claim nowhere that Helm manages them', () => {
    expect(JSON.stringify(kustomize('enforce'))).not.toMatch(/helm/i);
  });

  it('should make a namespace that admits pods with host paths', () => {
    expect(only(kustomize('dry-run'), 'Namespace').metadata).toEqual({
      name: 'basekeeper',
      labels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
    });
  });
});
