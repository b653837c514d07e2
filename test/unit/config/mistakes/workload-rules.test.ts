import { describe, expect, it } from 'vitest';
import { formatConfigError, loadConfig } from '../../../../src/config/load.ts';

const load = (rules: readonly object[]) => loadConfig({ text: JSON.stringify({ sources: { rules } }), env: { NODE_NAME: 'node-1' } });
const mistakes = (...rules: readonly object[]) =>
  (load(rules).errors ?? []).map(({ path, message }) => formatConfigError({ path, message }));
const rule = (parts: object = {}) => ({
  name: 'vms',
  apiVersion: 'v1',
  kind: 'Pod',
  fields: { imageRef: [{ path: '{.spec.image}' }] },
  ...parts,
});

describe('rules for workloads', () => {
  it.each([
    [
      'a path that does not compile',
      rule({ fields: { imageRef: [{ path: '{.spec[}' }] } }),
      /^sources\.rules\[0\]\.fields\.imageRef\[0\]\.path is not a JSONPath: unclosed bracketed selection/,
    ],
    [
      'a pattern that does not compile',
      rule({ nodeFrom: [{ path: '.a', match: '(a' }] }),
      /^sources\.rules\[0\]\.nodeFrom\[0\]\.match is not a regular expression that can be used: .*missing closing/,
    ],
    [
      'a value from nowhere',
      rule({ fields: { swapMb: [{}] } }),
      /^sources\.rules\[0\]\.fields\.swapMb\[0\] must have exactly one of path and value/,
    ],
    ['a value from two places', rule({ fields: { path: [{ path: '.a', value: 'b' }] } }), /fields\.path\[0\] must have exactly one of/],
    ['a pattern for a constant', rule({ fields: { path: [{ value: 'b', match: 'b' }] } }), /only mean something with path; remove them/],
    ['a rule that says nothing', rule({ fields: { path: [] } }), /^sources\.rules\[0\]\.fields must say something about the VMs/],
    ['a selector that cannot match', rule({ selector: { matchLabels: { a: 'b c' } } }), /selector\.matchLabels\.a cannot match/],
    ['an empty selector', rule({ selector: {} }), /selector must not be empty/],
    ['an invalid field selector', rule({ fieldSelector: 'spec.nodeName' }), /fieldSelector must be a field selector such as/],
    ['a kind in lower case', rule({ kind: 'pod' }), /kind must be a kind such as Pod/],
    ['an API version without version', rule({ apiVersion: 'example.com' }), /apiVersion must be an API version/],
    [
      'a misspelled field',
      rule({ fields: { imageRefs: [], path: [{ value: '/x' }] } }),
      /fields\.imageRefs is not a known key; did you mean imageRef\?/,
    ],
  ])('should refuse %s', (_what, given, message) => {
    expect(mistakes(given)).toEqual([expect.stringMatching(message)]);
  });

  it('should refuse two rules of one name', () => {
    expect(mistakes(rule(), rule())).toEqual(['sources.rules[1].name must be unique: "vms" names another rule as well']);
  });

  it("should put the node's name where the selectors ask for it", () => {
    const selector = {
      matchLabels: { 'example.com/node': '$(NODE_NAME)' },
      matchExpressions: [{ key: 'n', operator: 'In', values: ['$(NODE_NAME)', 'x'] }],
    };
    const { config } = load([rule({ selector, fieldSelector: 'spec.nodeName=$(NODE_NAME)' })]);
    expect(config?.sources.rules[0]).toMatchObject({
      selector: { matchLabels: { 'example.com/node': 'node-1' }, matchExpressions: [{ values: ['node-1', 'x'] }] },
      fieldSelector: 'spec.nodeName=node-1',
    });
  });

  it('should exempt the pods of a rule, unless only the API server knows which they are', () => {
    const selector = { matchLabels: { app: 'vm' } };
    const exempt = (parts: object) => load([rule({ namespace: 'vms', selector, ...parts })]).config?.exemptPods;
    const pods = [{ namespace: 'vms', selector: { ...selector, matchExpressions: [] } }];
    expect(exempt({})).toEqual(pods);
    expect(exempt({ fieldSelector: 'spec.nodeName=$(NODE_NAME)' })).toEqual(pods);
    expect(exempt({ fieldSelector: 'status.phase=Running' })).toEqual([]);
    expect(exempt({ kind: 'Machine' })).toEqual([]);
  });

  it('should be enough of a source, and need a node name', () => {
    const off = { enabled: false };
    const text = JSON.stringify({ sources: { pods: off, virtualMachineInstances: off, rules: [rule()] } });
    expect(loadConfig({ text, env: { NODE_NAME: 'node-1' } }).errors).toBeUndefined();
    expect(loadConfig({ text }).errors?.map(({ path }) => path)).toEqual(['nodeName']);
  });
});
