import { describe, expect, it } from 'vitest';
import { formatConfigError, loadConfig } from '../../../src/config/load.ts';

function mistakes(text: string): readonly string[] {
  return (loadConfig({ text, fileName: 'c.yaml', env: { NODE_NAME: 'node-a' } }).errors ?? []).map(formatConfigError);
}

describe('loadConfig: mistakes', () => {
  it.each([
    ['a wrong choice', 'mode: dryrun', 'c.yaml:1:7: mode must be one of off, dry-run, enforce, not "dryrun"; did you mean dry-run?'],
    ['a misspelled key', 'http:\n  prot: 1', 'c.yaml:2:3: http.prot is not a known key; did you mean port?'],
    [
      'one port for what is for the network and what is not',
      'http: {port: 9818, pagesPort: 9818}',
      'c.yaml:1:31: http.pagesPort must be another port than http.port (9818): status page and report are served on loopback only',
    ],
    [
      'tokens in the clear',
      'http: {pages: network}',
      'c.yaml:1:15: http.pages needs http.tls: "network" asks for tokens, which must not cross the network in the clear',
    ],
    [
      'tokens of a scraper in the clear',
      'http: {metrics: reviewed}',
      'c.yaml:1:17: http.metrics needs http.tls: "reviewed" asks for tokens, which must not cross the network in the clear',
    ],
    ['a key in the wrong section', 'port: 1', 'c.yaml:1:1: port is not a known key; did you mean http.port?'],
    [
      "Nova's spelling of a key",
      'remove_unused_base_images: true',
      'c.yaml:1:1: remove_unused_base_images is not a known key; did you mean removeUnusedBaseImages?',
    ],
    [
      'a key that resembles none',
      'http: {colour: red}',
      'c.yaml:1:8: http.colour is not a known key; remove it, or use one of address, port, pagesPort, report, statusPage, documentsUrl, pages, metrics, tls, hostNames',
    ],
    ['a prototype key', '__proto__: {mode: enforce}', 'c.yaml:1:1: __proto__ is not a known key; remove it'],
    [
      'a word for true',
      'events: "yes"',
      'c.yaml:1:9: events must be true or false, not "yes"; YAML knows only true and false, without quotes',
    ],
    ['a quoted number', 'intervalSeconds: "60"', 'c.yaml:1:18: intervalSeconds must be a whole number, not "60"; remove the quotes'],
    ['a fraction', 'jitterSeconds: 1.5', 'c.yaml:1:16: jitterSeconds must be a whole number, not 1.5'],
    ['infinity', 'passDeadlineSeconds: .inf', 'c.yaml:1:22: passDeadlineSeconds must be a whole number, not Infinity'],
    ['a number below the limit', 'maxRemovalsPerPass: -1', 'c.yaml:1:21: maxRemovalsPerPass must be at least 0, not -1'],
    ['a delay that no timer can wait', 'intervalSeconds: 9999999', 'c.yaml:1:18: intervalSeconds must be at most 2147483, not 9999999'],
    [
      'a number that should be text',
      'pins:\n  imageRefs:\n    - 12',
      'c.yaml:3:7: pins.imageRefs[0] must be text, not 12; put it in quotes',
    ],
    ['an empty text', 'schedule: ""', 'c.yaml:1:11: schedule must not be empty; remove the key or give it a value'],
    ['an empty section', 'mode: off\nhttp:\n', 'c.yaml:2:1: http is empty; remove the key or give it a section of keys and values'],
    ['a list for a section', 'http: []', 'c.yaml:1:7: http must be a section of keys and values, not a list'],
    ['a missing required key', 'sources: {file: {}}', 'c.yaml:1:17: sources.file.path is required; add it'],
    [
      'two directories for one',
      'subdirectoryName: a/b',
      'c.yaml:1:19: subdirectoryName must be the name of one directory below instancesPath, such as _base',
    ],
    [
      'the parent directory',
      'subdirectoryName: ..',
      'c.yaml:1:19: subdirectoryName must be the name of one directory below instancesPath, such as _base',
    ],
    [
      'a path for a glob',
      'pins: {fileNames: ["a/*"]}',
      'c.yaml:1:20: pins.fileNames[0] is a glob over file names in the base directory and has no "/"',
    ],
    [
      'a name that is not a node name',
      'nodeName: a/../b',
      'c.yaml:1:11: nodeName must be a node name: lower-case letters, digits, "-" and "."',
    ],
    ['a document that is not a section', '- mode', 'c.yaml:1:1: must be a section of keys and values, such as "mode: dry-run"'],
    [
      'a key given twice',
      'mode: off\nmode: enforce',
      'c.yaml:2:1: is not valid YAML: mode is given twice in one section; keep one of the two',
    ],
    [
      'two documents',
      'mode: off\n---\nmode: off',
      'c.yaml:2:1: is not valid YAML: the file holds more than one document; remove what follows the second "---"',
    ],
    ['an alias without anchor', 'mode: *x', 'c.yaml: is not valid YAML: Unresolved alias (the anchor must be set before the alias): x'],
    [
      'control characters in a path',
      String.raw`instancesPath: "/a\eb"`,
      'c.yaml:1:16: instancesPath must be an absolute path without control characters, such as /var/lib/nova/instances',
    ],
  ])('should explain %s with path, place and remedy', (_what, text, message) => {
    expect(mistakes(text)).toEqual([message]);
  });

  it('should report all mistakes at once, in the order of the file, those of the rules among them', () => {
    const text =
      'mode: on\nhttp: {address: here, port: x}\nremoveUnusedResizedMinimumAgeSeconds: 1\nexemptPods:\n  - {}\n  - {selector: {matchExpressions: [{key: a, operator: in}]}}\n';
    expect(mistakes(text)).toEqual([
      'c.yaml:1:7: mode must be one of off, dry-run, enforce, not "on"',
      'c.yaml:2:17: http.address must be an IP address: 0.0.0.0 listens everywhere, 127.0.0.1 on this machine only',
      'c.yaml:2:29: http.port must be a whole number, not "x"',
      'c.yaml:3:39: removeUnusedResizedMinimumAgeSeconds must be at least minimumAgeFloorSeconds (600), not 1; raise it, or lower minimumAgeFloorSeconds as well if you mean it',
      'c.yaml:5:5: exemptPods[0] must have namespace or selector; without either it would exempt every pod',
      'c.yaml:6:55: exemptPods[1].selector.matchExpressions[0].operator must be one of In, NotIn, Exists, DoesNotExist, not "in"; did you mean In?',
    ]);
  });

  it('should not blame a key for a neighbour that is wrong itself', () => {
    expect(mistakes('removeUnusedResizedMinimumAgeSeconds: 1\nminimumAgeFloorSeconds: x')).toEqual([
      'c.yaml:2:25: minimumAgeFloorSeconds must be a whole number, not "x"',
    ]);
  });

  it('should keep the message short for a huge value', () => {
    expect(mistakes(`mode: ${'x'.repeat(100_000)}`)[0]?.length).toBeLessThan(200);
  });

  it('should refuse a text whose aliases multiply without end', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `a${level + 1}: &a${level + 1} [${Array.from({ length: 9 }, () => `*a${level}`).join(',')}]`,
    );
    expect(mistakes(`a0: &a0 [x]\n${levels.join('\n')}`).join()).toContain('is not valid YAML');
  });
});
