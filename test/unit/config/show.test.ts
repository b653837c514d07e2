import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { configJsonSchema } from '../../../src/config/schema/schema.ts';
import { inOrder, leavesOf, settingsYaml } from '../../../src/config/show.ts';

function load(text: string) {
  const loaded = loadConfig({ text, env: { NODE_NAME: 'node-a' } });
  if (loaded.config === undefined) throw new Error('the configuration of this test is wrong');
  return loaded;
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
  libvirt: {enabled: true, statusPath: /run/l}
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
    const { config, settings } = load(text);
    expect(load(settingsYaml(settings, () => undefined)).config).toEqual(config);
    expect(load(JSON.stringify(inOrder(settings))).config).toEqual(config);
  });

  it('should have every key that has a default, in the order of the documentation', () => {
    const { settings } = load('');
    const shown = inOrder(settings);
    const optional = new Set(['schedule', 'timeZone', 'maxRemovalsPerPass']);
    expect(Object.keys(shown)).toEqual(Object.keys(configJsonSchema()['properties'] as object).filter((key) => !optional.has(key)));
    expect(shown).toMatchObject({ sources: { libvirt: { enabled: false } }, intervalSeconds: 2400 });
  });

  it('should be a list of keys with values and origins, as documents write them', () => {
    const leaves = leavesOf(load(EVERYTHING).settings, (path) => (path.join('.') === 'http.port' ? 'c.yaml' : undefined));
    expect(leaves).toContainEqual({ key: 'http.port', value: '0', origin: 'c.yaml' });
    expect(leaves).toContainEqual({ key: 'pins.imageRefs', value: '["1"]', origin: undefined });
  });

  it('should say of each value that is not a default where it comes from', () => {
    const yaml = settingsYaml(load(EVERYTHING).settings, (path) => (path.join('.') === 'http.port' ? 'c.yaml' : undefined));
    expect(yaml).toContain('  port: 0 # c.yaml\n');
    expect(yaml.match(/#/g)).toHaveLength(1);
  });
});
