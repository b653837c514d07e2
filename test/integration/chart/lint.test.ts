import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHART } from '../../../scripts/chart/generated.ts';
import { helm, manifestsIn, titleOf } from '../../helpers/helm.ts';

const valuesFiles = readdirSync(`${CHART}/ci`);

describe.each([3, 4] as const)('Helm %i', (major) => {
  it('should find nothing to complain about in the chart', async () => {
    expect(await helm(major, 'lint', '--strict', CHART)).toContain('0 chart(s) failed');
  });

  it.each(valuesFiles)('should render ci/%s without two objects of one name', async (file) => {
    const manifests = manifestsIn(await helm(major, 'template', 'release', CHART, '--namespace', 'ns', '--values', `${CHART}/ci/${file}`));
    const titles = manifests.map((manifest) => `${manifest.metadata.namespace ?? ''} ${titleOf(manifest)}`);
    expect(titles.length).toBeGreaterThan(0);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

describe('both versions of Helm', () => {
  it.each(valuesFiles)('should render the same from ci/%s', async (file) => {
    const rendered = await Promise.all(
      ([3, 4] as const).map(async (major) =>
        manifestsIn(await helm(major, 'template', 'release', CHART, '--namespace', 'ns', '--values', `${CHART}/ci/${file}`)),
      ),
    );
    expect(rendered[1]).toEqual(rendered[0]);
  });
});
