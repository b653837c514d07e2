import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../../src/lib/json.ts';

const BOUNDS = { values: 20, depth: 4 };

describe('strict JSON', () => {
  it.each([
    '{}',
    '[]',
    '"a"',
    '12',
    'null',
    '{"a":{"a":1},"b":[{"a":2}]}',
    '{"a":":{\\"b\\":[[[[[,,,,"}',
    '{"__proto__":1}',
    '{"a\\\\":1,"b":2}',
  ])('should be read as it is: %s', (text) => {
    expect(parseStrictJson(text, BOUNDS)).toEqual({ value: JSON.parse(text) as unknown });
  });

  it.each([
    ['{"a":1,"a":1}', 'a key twice'],
    ['{"a":1,"\\u0061":2}', 'a key twice'],
    ['[{"b":{"a":1,"c":2,"a":3}}]', 'a key twice'],
    ['{"__proto__":1,"__proto__":2}', 'a key twice'],
    ['{"a":1', 'not JSON'],
    ['{"a":"1', 'not JSON'],
    ["{'a':1}", 'not JSON'],
    ['', 'not JSON'],
    [`[${Array.from({ length: 20 }, () => 1).join(',')}]`, 'too much'],
    ['[[[[[]]]]]', 'too much'],
    ['{"a":{"a":{"a":{"a":{}}}}}', 'too much'],
  ])('should be refused: %s', (text, problem) => {
    expect(parseStrictJson(text, BOUNDS)).toEqual({ problem });
  });

  it('should be refused before anything is built of it', () => {
    const deep = '['.repeat(5_000_000);
    expect(parseStrictJson(deep, BOUNDS)).toEqual({ problem: 'too much' });
  });
});
