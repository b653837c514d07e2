import { describe, expect, it } from 'vitest';
import { configJsonSchema } from '../../../src/config/schema/schema.ts';

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly additionalProperties?: boolean | Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

function sections(node: Node, path: string): readonly [string, Node][] {
  const children = Object.entries(node.properties ?? {}).flatMap(([key, child]) => sections(child, `${path}.${key}`));
  return [[path, node], ...children, ...(node.items === undefined ? [] : sections(node.items, `${path}[]`))];
}

const schema = configJsonSchema() as Node;
const everything = sections(schema, '');

describe('configJsonSchema', () => {
  it('should refuse unknown keys in every section', () => {
    const open = everything.filter(([, node]) => node.properties !== undefined && node.additionalProperties !== false);
    expect(open.map(([path]) => path)).toEqual([]);
    expect(everything.length).toBeGreaterThan(50);
  });

  it('should describe every key', () => {
    const silent = everything.filter(([path, node]) => !path.endsWith('[]') && path !== '' && node.description?.endsWith('.') !== true);
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  it('should require no key, because every key has a default', () => {
    expect(schema).not.toHaveProperty('required');
    expect(schema.properties?.['intervalSeconds']).not.toHaveProperty('default');
    expect(schema.properties?.['mode']?.default).toBe('dry-run');
  });

  it('should use no pattern that Go and so Helm cannot compile', () => {
    const patterns = everything.map(([, node]) => node.pattern ?? '').filter((pattern) => /\(\?[=!<]|\\[1-9]|\\u/.test(pattern));
    expect(patterns).toEqual([]);
  });
});
