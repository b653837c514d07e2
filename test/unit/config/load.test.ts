import { describe, expect, it } from 'vitest';
import { formatConfigError, loadConfig, type LoadOptions } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/types.ts';

const ENV = { NODE_NAME: 'node-a' };

function load(text: string, options: LoadOptions = {}): Config {
  const { config, errors } = loadConfig({ text, fileName: 'c.yaml', env: ENV, ...options });
  expect(errors?.map(formatConfigError)).toBeUndefined();
  return config as Config;
}

function mistakes(text: string, options: LoadOptions = {}): readonly string[] {
  return (loadConfig({ text, fileName: 'c.yaml', env: ENV, ...options }).errors ?? []).map(formatConfigError);
}

describe('loadConfig: defaults', () => {
  it('should fill in every default of the safe preset from an empty file', () => {
    expect(load('')).toEqual({
      preset: 'safe',
      mode: 'dry-run',
      nodeName: 'node-a',
      instancesPath: '/var/lib/nova/instances',
      hostInstancesPath: '/var/lib/nova/instances',
      subdirectoryName: '_base',
      basePath: '/var/lib/nova/instances/_base',
      locksPath: '/var/lib/nova/instances/locks',
      schedule: { kind: 'interval', intervalSeconds: 2400, jitterSeconds: 300 },
      passDeadlineSeconds: 1800,
      policy: {
        preset: 'safe',
        naming: 'strict',
        overlays: 'all',
        removeUnusedBaseImages: true,
        originalMinimumAgeSeconds: 86_400,
        resizedMinimumAgeSeconds: 3600,
        minimumAgeFloorSeconds: 600,
        maxRemovalsPerPass: undefined,
        forceRawImages: false,
        ignore: [],
        touchBackingFiles: true,
        removeLockFiles: false,
        allowEmptyInventory: false,
        liveUseCheck: true,
        lockTimeoutSeconds: 10,
        pins: { imageRefs: [], fileNames: [] },
        trash: { enabled: false, graceSeconds: 259_200 },
      },
      sources: {
        pods: { enabled: true, persistentVolumes: true, selector: undefined },
        virtualMachineInstances: { enabled: true },
        rules: [],
        file: undefined,
      },
      verify: { enabled: false, checksums: { enabled: false, bytesPerSecond: 20_971_520 } },
      pinConfigMaps: false,
      exemptPods: [],
      knownAgents: expect.arrayContaining([
        { name: 'OpenEBS ZFS LocalPV', selector: { matchLabels: { app: 'openebs-zfs-node' }, matchExpressions: [] }, hostPaths: ['/'] },
      ]),
      undeclared: { hostName: 'node-a', hostTimeoutSeconds: 86_400 },
      ledger: {
        enabled: true,
        directory: '/var/lib/nova/instances/locks/basekeeper-ledger',
        host: 'node-a',
        maxBytes: 16_777_216,
        maxAgeDays: 365,
      },
      annotations: true,
      events: true,
      heartbeatSeconds: 3600,
      http: {
        address: '0.0.0.0',
        port: 9817,
        pagesPort: 9818,
        report: true,
        statusPage: true,
        pages: 'loopback',
        metrics: 'open',
        hostNames: [],
      },
      log: { level: 'info' },
    });
  });

  it('should derive the paths below the instances path and tidy them', () => {
    const config = load('instancesPath: /srv//nova/../vms/\nsubdirectoryName: cache');
    expect(config).toMatchObject({
      instancesPath: '/srv/vms',
      hostInstancesPath: '/srv/vms',
      basePath: '/srv/vms/cache',
      locksPath: '/srv/vms/locks',
    });
  });

  it('should set every switch to the way of Nova for the preset nova', () => {
    expect(load('preset: nova').policy).toMatchObject({
      preset: 'nova',
      naming: 'nova',
      overlays: 'nova',
      touchBackingFiles: false,
      liveUseCheck: false,
      minimumAgeFloorSeconds: 0,
      removeLockFiles: true,
      allowEmptyInventory: true,
    });
  });

  it('should let an explicit key win over the preset nova, whatever the order', () => {
    expect(load('naming: strict\nminimumAgeFloorSeconds: 60\npreset: nova').policy).toMatchObject({
      naming: 'strict',
      minimumAgeFloorSeconds: 60,
      overlays: 'nova',
    });
  });

  it.each([
    ['200Gi', 200 * 2 ** 30],
    ['1500M', 1_500_000_000],
    ['"12k"', 12_000],
    ['"12Ki"', 12_288],
    ['"4096"', 4096],
    ['2.147483648e+11', 200 * 2 ** 30],
  ])('should read a budget of %s as %i bytes', (given, maxBytes) => {
    expect(load(`budget: {maxBytes: ${given}}`).policy.budget).toEqual({ maxBytes, lowPercentOfMax: 90 });
  });

  it('should take a share of the file system as the budget', () => {
    const given = 'budget: {maxPercentOfFilesystem: 30, lowPercentOfMax: 80}';
    expect(load(given).policy.budget).toEqual({ maxPercentOfFilesystem: 30, lowPercentOfMax: 80 });
    expect(load('budget: {lowPercentOfMax: 80}').policy.budget).toBeUndefined();
  });

  it('should lower the default jitter to a short interval', () => {
    expect(load('intervalSeconds: 60').schedule).toEqual({ kind: 'interval', intervalSeconds: 60, jitterSeconds: 60 });
  });

  it('should take a cron expression in UTC unless a time zone is given', () => {
    expect(load('schedule: "0 3 * * *"').schedule).toEqual({ kind: 'cron', expression: '0 3 * * *', timeZone: 'UTC', jitterSeconds: 300 });
    expect(load('schedule: "0 0 3 * * *"\ntimeZone: Europe/Berlin').schedule).toMatchObject({ timeZone: 'Europe/Berlin' });
  });

  it('should normalize selectors to both parts', () => {
    const config = load(
      'sources: {pods: {selector: {matchLabels: {app: vm}}}}\nexemptPods: [{namespace: backup}, {selector: {matchExpressions: [{key: a, operator: Exists}]}}]',
    );
    expect(config.sources.pods.selector).toEqual({ matchLabels: { app: 'vm' }, matchExpressions: [] });
    expect(config.exemptPods).toEqual([
      { namespace: 'backup', selector: undefined },
      { namespace: undefined, selector: { matchLabels: {}, matchExpressions: [{ key: 'a', operator: 'Exists', values: [] }] } },
    ]);
  });

  it('should need no name of a node where the configuration is only looked at', () => {
    expect(load('', { env: {}, hostName: 'Box', anyNode: true }).nodeName).toBe('box');
    expect(load('', { env: {}, hostName: 'no name!', anyNode: true }).nodeName).toBe('localhost');
    expect(load('', { env: { NODE_NAME: 'node-1' }, hostName: 'box', anyNode: true }).nodeName).toBe('node-1');
  });
});

describe('loadConfig: layers', () => {
  it('should let the file win over NODE_NAME and an option over the file', () => {
    expect(load('nodeName: from-file').nodeName).toBe('from-file');
    expect(load('nodeName: from-file', { overrides: [{ origin: '--node', values: { nodeName: 'from-option' } }] }).nodeName).toBe(
      'from-option',
    );
  });

  it('should merge an option into a section without losing its other keys', () => {
    const values = { sources: { pods: { enabled: false } } };
    const config = load('sources: {pods: {selector: {matchLabels: {a: b}}}}', { overrides: [{ origin: '--workloads', values }] });
    expect(config.sources.pods).toEqual({
      enabled: false,
      persistentVolumes: true,
      selector: { matchLabels: { a: 'b' }, matchExpressions: [] },
    });
  });

  it('should say where each value comes from', () => {
    const loaded = loadConfig({
      text: 'preset: nova\nmode: off',
      fileName: 'c.yaml',
      env: ENV,
      overrides: [{ origin: '--instances-path', values: { instancesPath: '/x' } }],
    });
    const origins = [['mode'], ['nodeName'], ['naming'], ['instancesPath'], ['http', 'port']].map((path) => loaded.originOf?.(path));
    expect(origins).toEqual(['c.yaml', '$NODE_NAME', 'preset nova', '--instances-path', undefined]);
  });

  it('should name an option in the error about its value', () => {
    expect(mistakes('', { overrides: [{ origin: '--instances-path', values: { instancesPath: 'vms' } }] })).toEqual([
      '--instances-path: instancesPath must be an absolute path without control characters, such as /var/lib/nova/instances',
    ]);
  });

  it('should fall back to the host name only where no cluster is asked', () => {
    const off = 'sources: {pods: {enabled: false}, virtualMachineInstances: {enabled: false}, file: {path: /w.yaml}}';
    expect(load(off, { env: {}, hostName: 'box' }).nodeName).toBe('box');
    expect(mistakes('', { env: { NODE_NAME: '' }, hostName: 'box' })).toEqual([
      'nodeName is required to ask the cluster for the workloads of this node; set it, or --node, or the environment variable NODE_NAME',
    ]);
  });
});
