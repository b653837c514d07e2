import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { settingsJson, settingsYaml } from '../../../src/config/show.ts';
import type { Config } from '../../../src/config/types.ts';

function load(text: string): Config {
  const { config } = loadConfig({ text, env: { NODE_NAME: 'node-a' } });
  if (config === undefined) throw new Error('the configuration of this test is wrong');
  return config;
}

const EVERYTHING = `
preset: nova
mode: enforce
instancesPath: /srv/vms
hostInstancesPath: /var/lib/nova/instances
subdirectoryName: cache
locksPath: /srv/locks
schedule: "*/5 * * * *"
timeZone: Europe/Berlin
jitterSeconds: 7
naming: strict
pins: {imageRefs: ["1"], fileNames: ["swap_*"]}
sources:
  pods: {enabled: false, selector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: In, values: [d]}, {key: e, operator: Exists}]}}
  file: {path: /w.yaml}
exemptPods: [{namespace: n}, {selector: {matchLabels: {x: y}}}]
http: {address: "::1", port: 0}
log: {level: debug}
`;

describe('a configuration that is shown', () => {
  it.each([
    ['the defaults', ''],
    ['the preset nova', 'preset: nova'],
    ['every key', EVERYTHING],
  ])('should be read again as the same: %s', (_what, text) => {
    const config = load(text);
    expect(load(settingsYaml(config, () => undefined))).toEqual(config);
    expect(load(settingsJson(config))).toEqual(config);
  });

  it('should say of each value that is no default where it comes from', () => {
    const yaml = settingsYaml(load(EVERYTHING), (path) => (path.join('.') === 'http.port' ? 'c.yaml' : undefined));
    expect(yaml).toContain('  port: 0 # c.yaml\n');
    expect(yaml.match(/#/g)).toHaveLength(1);
  });
});
