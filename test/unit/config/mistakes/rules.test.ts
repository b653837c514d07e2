import { describe, expect, it } from 'vitest';
import { formatConfigError, loadConfig } from '../../../../src/config/load.ts';

const mistakes = (text: string) =>
  (loadConfig({ text, env: { NODE_NAME: 'n' } }).errors ?? []).map((error) =>
    formatConfigError({ path: error.path, message: error.message }),
  );

describe('rules of the configuration', () => {
  it.each([
    [
      'schedule and interval together',
      'schedule: "@daily"\nintervalSeconds: 60',
      'intervalSeconds cannot be used together with schedule; remove one of the two',
    ],
    [
      'a schedule with a bad field',
      'schedule: "61 * * * *"',
      'schedule is not a cron expression that ever fires: Field value (61) is out of range; write five fields, such as "*/40 * * * *"',
    ],
    [
      'a schedule that never fires',
      'schedule: "0 0 30 2 *"',
      'schedule is not a cron expression that ever fires: No execution date was found in the next 8 years; write five fields, such as "*/40 * * * *"',
    ],
    ['a time zone without schedule', 'timeZone: UTC', 'timeZone has a meaning only with schedule; remove it or give a schedule'],
    [
      'an unknown time zone',
      'schedule: "@daily"\ntimeZone: Mars/X',
      'timeZone is not a time zone: "Mars/X"; use an IANA name such as Europe/Berlin or UTC',
    ],
    [
      'a jitter above the interval',
      'intervalSeconds: 60\njitterSeconds: 61',
      'jitterSeconds must be at most intervalSeconds (60), not 61; lower it',
    ],
    [
      'a budget in bytes and as a share',
      'budget: {maxBytes: 1Gi, maxPercentOfFilesystem: 50}',
      'budget.maxPercentOfFilesystem cannot be used together with budget.maxBytes; remove one of the two',
    ],
    ['a budget of nothing', 'budget: {maxBytes: 0}', 'budget.maxBytes must be at least 1, not 0'],
    ...['1.5', '"0Gi"', '"200GB"', '"1.5Gi"'].map((given) => [
      `a budget of ${given}`,
      `budget: {maxBytes: ${given}}`,
      'budget.maxBytes must be bytes or a quantity such as 200Gi, at least 1',
    ]),
    [
      'a minimum age below the floor',
      'removeUnusedOriginalMinimumAgeSeconds: 599',
      'removeUnusedOriginalMinimumAgeSeconds must be at least minimumAgeFloorSeconds (600), not 599; raise it, or lower minimumAgeFloorSeconds as well if you mean it',
    ],
    [
      'a floor above a default age',
      'minimumAgeFloorSeconds: 7200',
      'removeUnusedResizedMinimumAgeSeconds must be at least minimumAgeFloorSeconds (7200), not 3600; raise it, or lower minimumAgeFloorSeconds as well if you mean it',
    ],
    [
      'no floor at all outside the preset nova',
      'minimumAgeFloorSeconds: 0',
      'minimumAgeFloorSeconds must be at least 1, not 0: Nova writes a base file before the disk that uses it; 0 is possible with "preset: nova" only',
    ],
    [
      'a directory that is shared and not shared',
      'sharedStorage: {enabled: true, alone: true}',
      'sharedStorage.alone cannot be used together with sharedStorage.enabled; remove one of the two',
    ],
    ['an invalid glob', 'pins: {fileNames: ["swap_*", "+(a"]}', 'pins.fileNames[1] is not a glob over file names: a ")" is missing'],
    [
      'a lock timeout as long as the pass',
      'passDeadlineSeconds: 10',
      'passDeadlineSeconds must be more than lockTimeoutSeconds (10), not 10: one busy lock would use up the pass',
    ],
    [
      'the root as instances path',
      'instancesPath: //\nhostInstancesPath: /x',
      'instancesPath must not be the root directory; give the directory of the instance directories',
    ],
    [
      'the root as host path',
      'hostInstancesPath: /.',
      'hostInstancesPath must not be the root directory; give the path by which image headers name the instances directory',
    ],
    [
      'locks in the base directory',
      'locksPath: /var/lib/nova/instances/_base/locks',
      'locksPath must not lie in the base directory (/var/lib/nova/instances/_base); Nova uses the directory locks beside it',
    ],
    [
      'no source at all',
      'sources: {pods: {enabled: false}, virtualMachineInstances: {enabled: false}}',
      'sources must have at least one that is enabled: pods, virtualMachineInstances, rules, file or libvirt; without one, every base file would look unused',
    ],
    [
      'an address that is a name',
      'http: {address: localhost}',
      'http.address must be an IP address: 0.0.0.0 listens everywhere, 127.0.0.1 on this machine only',
    ],
    [
      'an exemption of everything',
      'exemptPods: [{}]',
      'exemptPods[0] must have namespace or selector; without either it would exempt every pod',
    ],
    [
      'an empty selector',
      'sources: {pods: {selector: {matchLabels: {}}}}',
      'sources.pods.selector must not be empty, because an empty selector selects every pod; add matchLabels or matchExpressions',
    ],
    [
      'a label key that cannot be',
      'exemptPods: [{selector: {matchLabels: {"a b": c}}}]',
      'exemptPods[0].selector.matchLabels["a b"] cannot match: "a b" is not a label key; write one such as app.kubernetes.io/name',
    ],
    [
      'a label value that cannot be',
      'exemptPods: [{selector: {matchLabels: {a: "b c"}}}]',
      'exemptPods[0].selector.matchLabels.a cannot match: "b c" is not a label value; use at most 63 letters, digits, "-", "_" and "."',
    ],
    [
      'In without values',
      'exemptPods: [{selector: {matchExpressions: [{key: a, operator: In}]}}]',
      'exemptPods[0].selector.matchExpressions[0] must have at least one of values, because its operator is In',
    ],
    [
      'Exists with values',
      'exemptPods: [{selector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]',
      'exemptPods[0].selector.matchExpressions[0].values must be removed, because the operator is Exists',
    ],
  ])('should explain %s', (_what, text, message) => {
    expect(mistakes(text)).toEqual([message]);
  });

  it.each([
    ['a minimum age at the floor', 'removeUnusedOriginalMinimumAgeSeconds: 600'],
    ['a minimum age of nearly nothing where the floor says so', 'removeUnusedResizedMinimumAgeSeconds: 1\nminimumAgeFloorSeconds: 1'],
    ['a minimum age of nothing in the preset nova', 'preset: nova\nremoveUnusedResizedMinimumAgeSeconds: 0'],
    ['an IPv6 address', 'http: {address: "::1", port: 0}'],
    ['an empty label value', 'exemptPods: [{selector: {matchLabels: {a.b/c-d: ""}}}]'],
    ['a base directory name that starts with dots', 'subdirectoryName: ..base'],
  ])('should accept %s', (_what, text) => {
    expect(mistakes(text)).toEqual([]);
  });
});
