import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { compileJsonPath } from '../../src/lib/patterns/json-path.ts';
import { parseDomain } from '../../src/sources/libvirt/domain.ts';
import { parseWorkloads } from '../../src/sources/file/workloads-file.ts';

/** What is refused is refused at once; a loaded machine may take some seconds, an explosion takes minutes. */
const LIMIT_MS = 30_000;
const laughs = (lines: number): string =>
  Array.from(
    { length: lines },
    (_, index) => `a${index}: &a${index} [${Array.from({ length: 9 }, () => (index === 0 ? 'lol' : `*a${index - 1}`)).join(', ')}]`,
  ).join('\n');
const BOMBS: readonly (readonly [string, string])[] = [
  ['a billion laughs', laughs(12)],
  ['a quadratic blow-up', `a: &a ${'x'.repeat(100_000)}\nb: [${'*a, '.repeat(10_000)}]`],
  ['an alias of itself', 'workloads: &a [*a]'],
  ['deep nesting', `workloads: ${'['.repeat(50_000)}`],
  ['deep flow maps', `workloads: ${'{a: '.repeat(50_000)}`],
  ['deep indentation', Array.from({ length: 3000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ['a hundred thousand keys', Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`).join('\n')],
  ['a megabyte of indicators', '? - : ! & * | > '.repeat(60_000)],
  ['a merge key', '<<: &a {b: 1}\nworkloads: []'],
  ['a tag of a type', 'workloads: !!js/function "function () { return 1 }"'],
];

describe('hostile YAML', () => {
  it.each(BOMBS)(
    'should be refused quickly by the workloads file: %s',
    (_what, text) => {
      const { workloads, errors } = parseWorkloads(text);
      expect(workloads).toBeUndefined();
      expect(errors?.length).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  it.each(BOMBS)(
    'should be refused quickly by the configuration: %s',
    (_what, text) => {
      expect(loadConfig({ text }).errors?.length).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  it.each([
    'workloads: []\nworkloads: [{name: vm-1}]',
    'workloads: [{name: vm-1, name: vm-2}]',
    'workloads: [{name: vm-1, "name": vm-2}]',
    'workloads: [{name: vm-1, imageRef: a, imageRef: b}]',
    'workloads: []\n---\nworkloads: [{name: vm-1}]',
    'workloads: [{name: vm-1}]\n...\nworkloads: []',
    '\ufeffworkloads: [{name: vm-1, imageRef: 4e5}]',
    'workloads: [{name: vm-1, imageRef: 0o17}]',
    'workloads: [{name: vm-1, imageRef: null}]',
    'workloads: [{name: vm-1, imageRef: yes, resizing: "no"}]',
    'workloads: [{__proto__: {imageRef: a}, name: vm-1}]',
    'workloads: [{name: ../vm-1}]',
    'workloads: [{name: vm-1, swapMb: [-1]}]',
    'workloads: [{name: vm-1, swapMb: [1e99]}]',
    'workloads: [{name: vm-1, swapMb: [.nan]}]',
  ])('should be a mistake, never half a list: %j', (text) => {
    expect(parseWorkloads(text).workloads).toBeUndefined();
  });

  it('should keep prototype keys apart', () => {
    const { workloads } = parseWorkloads('workloads: [{name: __proto__, imageRef: constructor}]');
    expect(workloads?.[0]).toMatchObject({ name: '__proto__', images: [{ ref: 'constructor' }] });
    expect(loadConfig({ text: '__proto__: {mode: enforce}\nnodeName: a' }).errors?.length).toBeGreaterThan(0);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('hostile XML', () => {
  const domain = (inside: string): string => `<domain><name>n</name><uuid>u</uuid>${inside}</domain>`;
  it.each([
    [
      'a billion laughs',
      `<!DOCTYPE d [<!ENTITY a "lol">${Array.from({ length: 9 }, (_, index) => `<!ENTITY a${index} "${'&a;'.repeat(9)}">`).join('')}]>${domain('&a8;')}`,
    ],
    ['an external entity', `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>${domain('&x;')}`],
    ['an unknown entity', domain('&x;')],
    ['deep nesting', domain(`${'<a>'.repeat(200_000)}${'</a>'.repeat(200_000)}`)],
    ['a million elements', domain('<a/>'.repeat(1_000_000))],
    ['half a document', '<domain><name>n</name><uuid>u</uuid>'],
    ['two documents', domain('') + domain('')],
    ['nothing', ''],
    ['no domain', '<pool/>'],
  ])(
    'should be refused quickly: %s',
    (_what, text) => {
      expect(() => parseDomain(text, '/var/lib/nova/instances')).toThrow(Error);
    },
    LIMIT_MS,
  );
});

describe('hostile JSONPath', () => {
  /** Searches of it, one within the other, have more results than anybody can wait for. */
  const deep = Array.from({ length: 40 }).reduce<object>((inner) => ({ a: inner, b: [1, 2, 3] }), { x: 1 });

  it.each([
    '$..*..*..*..*..*..*..*.nothing',
    '$..[?@..[?@..[?@..[?@..[?@..nothing]]]]]',
    '$..*[?count($..*[?count($..*[?count($..*)>99])>99])>99]',
    '$.*[?count($.*.*[?count($.*.*[?count($.*.*.*)>99])>99])>99]',
    `$${'.*'.repeat(500)}`,
    `$..a${'[*]'.repeat(300)}`,
    `$${"['a']".repeat(200)}`,
    `$${'[?@.a]'.repeat(150)}`,
    `$..['a','b','a','b','a','b','a','b']['a','a','a','a']['a','a','a','a']`,
    `$${"['a','a','a','a','a','a','a','a']".repeat(25)}.nothing`,
  ])(
    'should be refused or answered quickly: %s',
    (path) => {
      try {
        expect(compileJsonPath(path)(deep).length).toBeLessThanOrEqual(1000);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    },
    30_000,
  );
});
