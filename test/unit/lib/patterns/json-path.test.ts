import { anything, assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileJsonPath } from '../../../../src/lib/patterns/json-path.ts';

const OBJECT = {
  metadata: { name: 'vm', annotations: { 'example.com/image': 'id', 'a-b': 'dash', "q'x": 'quote' } },
  spec: {
    volumes: [
      { name: 'root', claim: 'one' },
      { name: 'data', claim: 'two' },
    ],
  },
};

describe('compileJsonPath', () => {
  it.each([
    ['{.metadata.name}', ['vm']],
    ['.metadata.name', ['vm']],
    ['metadata.name', ['vm']],
    ['$.metadata.name', ['vm']],
    ['{@.metadata.name}', ['vm']],
    [String.raw`{.metadata.annotations.example\.com/image}`, ['id']],
    ["{.metadata.annotations['example.com/image']}", ['id']],
    ['{.metadata.annotations.a-b}', ['dash']],
    ["{.metadata.annotations.q'x}", ['quote']],
    ['{.spec.volumes[*].claim}', ['one', 'two']],
    ['{.spec.volumes[-1:].claim}', ['two']],
    ['{.spec.volumes[0,1].claim}', ['one', 'two']],
    ['{.spec.volumes[?(@.name=="root")].claim}', ['one']],
    ['{.spec.volumes[?(@.name=="}")].claim}', []],
    ['{..claim}', ['one', 'two']],
    ['{.spec.nothing.here}', []],
    ['{.constructor.name}', []],
    ['{.__proto__}', []],
  ])('should find with %s what kubectl finds', (path, values) => {
    expect(compileJsonPath(path)(OBJECT)).toEqual(values);
  });

  it.each([
    ['two expressions', '{.a}-{.b}'],
    ['a brace that is not closed', '{.a'],
    ['a template', '{range .items[*]}'],
    ['the whole object', '{}'],
    ['a script', '{.a[(@.length-1)]}'],
    ['a bracket that is not closed', '{.a[0}'],
    ['a function that takes a regular expression', '{.a[?match(@.b, "(x+)+")]}'],
    ['a path without end', `.${'a'.repeat(2000)}`],
  ])('should refuse %s', (_what, path) => {
    expect(() => compileJsonPath(path)).toThrow(Error);
  });

  it('should refuse an object that is nested too deeply for a search, and one that yields too much', () => {
    let deep: object = {};
    for (let depth = 0; depth < 5000; depth += 1) deep = { deep };
    expect(() => compileJsonPath('..x')(deep)).toThrow(/recursion/);
    expect(() => compileJsonPath('.list[*]')({ list: Array.from({ length: 1001 }, () => 1) })).toThrow(/more than 1000/);
  });

  it('should give up a search within searches', () => {
    const deep = Array.from({ length: 40 }).reduce<object>((inner) => ({ a: inner, b: [1, 2, 3] }), {});
    expect(() => compileJsonPath('..*..*..*..*..*.nothing')(deep)).toThrow(/more than 250000 looks/);
  });

  it('should find all of a large object', () => {
    const names = Array.from({ length: 900 }, (_, index) => `name-${index}`);
    const volumes = names.map((name) => ({ name, more: Array.from({ length: 20 }, () => ({ text: 'x' })) }));
    expect(compileJsonPath('..name')({ spec: { volumes } })).toEqual(names);
  });

  it('should give objects as they are', () => {
    expect(compileJsonPath('.spec.volumes[0]')(OBJECT)[0]).toBe(OBJECT.spec.volumes[0]);
  });

  it('should answer with values or a plain error, whatever path and object are', () => {
    assert(
      property(string({ maxLength: 40 }), anything(), (path, object) => {
        try {
          expect(Array.isArray(compileJsonPath(path)(object))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
