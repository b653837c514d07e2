import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { mapPod, type PodRules } from '../../../src/sources/pods/map-pod.ts';

const DIRECTORY = join(import.meta.dirname, '../../fixtures/neighbours');

interface Expectation {
  readonly should: 'gap' | 'none';
  readonly why: string;
  readonly with?: 'libvirt' | 'listed';
  readonly without?: 'vmi';
}

const EXPECTED = json('expected.json') as Readonly<Record<string, Expectation>>;
const NAMES = readdirSync(join(DIRECTORY, 'pods')).map((file) => basename(file, '.json'));

function json(path: string): unknown {
  return JSON.parse(readFileSync(join(DIRECTORY, path), 'utf8'));
}

/** The rules that a configuration file gives. */
function rulesOf(text: string): PodRules {
  const { config, errors } = loadConfig({ text: `nodeName: node-1\n${text}` });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  const { sources, policy, exemptPods, knownAgents, hostInstancesPath: instancesPath } = config;
  const resolveLaunchers = sources.virtualMachineInstances.enabled;
  return { policy, exemptPods, knownAgents, instancesPath, resolveLaunchers, selector: sources.pods.selector, ownNamespace: 'basekeeper' };
}

function verdict(name: string, config: string): 'gap' | 'workload' | 'none' {
  const record = mapPod(json(`pods/${name}.json`), rulesOf(config));
  if (record === undefined) return 'none';
  return record.gaps.length > 0 ? 'gap' : 'workload';
}

describe('pods that nodes really run', () => {
  it('should all have an expectation', () => {
    expect(NAMES.toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
    expect(NAMES).toHaveLength(45);
  });

  it.each(Object.entries(EXPECTED))('should hold removals only with a reason: %s', (name, expectation) => {
    const config = expectation.with === 'libvirt' ? 'sources: {libvirt: {enabled: true}}' : '';
    const withoutVmis = 'sources: {virtualMachineInstances: {enabled: false}}';
    expect(verdict(name, expectation.without === 'vmi' ? withoutVmis : config)).toBe(expectation.should);
  });

  it.each(['osh-nova-compute', 'osh-ceilometer-compute'])('should hold as long as nobody asks libvirt: %s', (name) => {
    expect(verdict(name, '')).toBe('gap');
  });

  it('should hold for a known agent once the list is switched off', () => {
    expect(verdict('gpu-operator-vfio-manager', 'knownAgents: []')).toBe('gap');
  });

  it.each(['liveUseCheck: false', 'overlays: nova', 'preset: nova'])('should hold for anyone who reads / with %s', (config) => {
    expect(verdict('prometheus-node-exporter', config)).toBe('gap');
    expect(verdict('alloy', config)).toBe('none');
  });
});
