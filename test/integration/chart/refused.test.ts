import { describe, expect, it } from 'vitest';
import { render } from '../../helpers/helm.ts';

describe('wrong values', () => {
  it.each<[string, object, RegExp]>([
    ['an unknown key', { mode: 'enforce' }, /'mode'/],
    ['an unknown key of the configuration', { config: { mdoe: 'enforce' } }, /\/config.*'mdoe'/],
    ['a mode that does not exist', { config: { mode: 'delete' } }, /\/config\/mode.*'off', 'dry-run', 'enforce'/],
    ['a node name for all nodes', { config: { nodeName: 'a' } }, /\/config.*'nodeName'/],
    ['a number as text', { config: { maxRemovalsPerPass: '5' } }, /\/config\/maxRemovalsPerPass.*got string, want integer/],
    ['an age below zero', { config: { minimumAgeFloorSeconds: -1 } }, /\/config\/minimumAgeFloorSeconds/],
    ['a relative path', { config: { instancesPath: 'nova' } }, /\/config\/instancesPath/],
    ['a port that any free one would be', { config: { http: { port: 0 } } }, /\/config\/http\/port/],
    ['a misspelt alert', { monitoring: { prometheusRule: { alerts: { Held: { enabled: false } } } } }, /alerts.*'Held'/],
    ['an invalid digest', { image: { digest: 'latest' } }, /\/image\/digest/],
    ['a pull policy that does not exist', { image: { pullPolicy: 'Sometimes' } }, /\/image\/pullPolicy/],
    ['an invalid quantity', { resources: { limits: { memory: 'lots' } } }, /\/resources\/limits\/memory/],
    ['an invalid interval', { monitoring: { podMonitor: { interval: 'often' } } }, /\/monitoring\/podMonitor\/interval/],
    [
      'both monitors',
      { monitoring: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } } },
      /monitoring\.podMonitor\.enabled and monitoring\.serviceMonitor\.enabled: .*enable one/,
    ],
    [
      'a service monitor without a service',
      { service: { enabled: false }, monitoring: { serviceMonitor: { enabled: true } } },
      /monitoring\.serviceMonitor\.enabled: needs service\.enabled/,
    ],
    [
      'both kinds of dashboards',
      { dashboards: { sidecar: { enabled: true }, operator: { enabled: true } } },
      /dashboards\.sidecar\.enabled and dashboards\.operator\.enabled: .*enable one/,
    ],
  ])('should refuse %s and name the key', async (_title, values, message) => {
    for (const major of [3, 4] as const) await expect(render(values, { major })).rejects.toThrow(message);
  });

  it('should accept whatever a parent chart puts into its global values', async () => {
    await expect(render({ global: { somethingElse: { a: 1 } } })).resolves.not.toHaveLength(0);
  });
});
