import type { Path } from '../../lib/yaml/document.ts';
import { configJsonSchema } from '../schema/schema.ts';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

/** The keys that the section at `path` may have. */
export function keysAt(path: Path): readonly string[] {
  let node: SchemaNode | undefined = configJsonSchema();
  for (const part of path) node = typeof part === 'number' ? node?.items : node?.properties?.[String(part)];
  return Object.keys(node?.properties ?? {});
}

/** Dotted paths of all keys outside lists. */
export function allKeyPaths(): readonly string[] {
  const walk = (node: SchemaNode, prefix: string): readonly string[] =>
    Object.entries(node.properties ?? {}).flatMap(([key, child]) => [`${prefix}${key}`, ...walk(child, `${prefix}${key}.`)]);
  return walk(configJsonSchema(), '');
}
