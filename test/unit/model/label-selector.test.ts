import { describe, expect, it } from 'vitest';
import { isBelow, normalizeHostPath, overlaps } from '../../../src/sources/host-paths.ts';
import { matchesLabels, type LabelSelector } from '../../../src/model/label-selector.ts';

const LABELS = new Map([
  ['app', 'vm'],
  ['tier', 'gold'],
]);

describe('a label selector', () => {
  it.each<[string, LabelSelector, boolean]>([
    ['nothing asked', {}, true],
    ['equal', { matchLabels: { app: 'vm', tier: 'gold' } }, true],
    ['one of two equal', { matchLabels: { app: 'vm', tier: 'tin' } }, false],
    ['In', { matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'vm'] }] }, true],
    ['In without the key', { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, false],
    ['NotIn', { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['vm'] }] }, false],
    ['NotIn without the key', { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
    ['Exists', { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, true],
    ['Exists without the key', { matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, false],
    ['DoesNotExist', { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
    ['DoesNotExist without the key', { matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, true],
    ['labels and expressions', { matchLabels: { app: 'vm' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['tin'] }] }, false],
  ])('should decide as the API server does: %s', (_case, selector, expected) => {
    expect(matchesLabels(selector, LABELS)).toBe(expected);
  });
});

describe('a host path', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/a//b/', '/a/b'],
    ['//a', '/a'],
    ['/a/../b', '/b'],
    ['/../..', '/'],
    ['/', '/'],
    ['a/b', undefined],
    ['', undefined],
    ['/a\0b', undefined],
  ])('should be normalized: %j', (path, expected) => {
    expect(normalizeHostPath(path)).toBe(expected);
  });

  it('should lie below a directory, not beside it', () => {
    expect([isBelow('/a/b', '/a'), isBelow('/ab', '/a'), isBelow('/a', '/a'), isBelow('/a', '/')]).toEqual([true, false, false, true]);
    expect([overlaps('/a', '/a/b'), overlaps('/a/b', '/a'), overlaps('/a', '/a'), overlaps('/ab', '/a')]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
