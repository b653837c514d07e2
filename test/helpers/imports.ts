import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';

export interface SourceFacts {
  /** Every specifier that the file imports, re-exports or names in a type, as written. */
  readonly specifiers: readonly string[];
  /** The same with the name that is imported, such as `node:net#isIP`; without a name where all of it is. */
  readonly bindings: readonly string[];
  /** Globals such as `Date.now`, `process.exit`, `process`, `new Date()`. */
  readonly globals: ReadonlySet<string>;
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function* nodesBelow(node: Node): Generator<Node> {
  yield node;
  for (const child of Object.values(node).flat()) if (isNode(child)) yield* nodesBelow(child);
}

/** Fields that name the module another file is: import and export declarations, import(), import types, import = require(). */
function specifierOf(node: Node): string | undefined {
  const named = node.type === 'TSExternalModuleReference' ? node['expression'] : node['source'];
  if (isNode(named) && typeof named['value'] === 'string') return named['value'];
  if (node.type !== 'CallExpression' || nameOf(node['callee']) !== 'require') return undefined;
  const [argument] = Array.isArray(node['arguments']) ? (node['arguments'] as readonly unknown[]) : [];
  return isNode(argument) && typeof argument['value'] === 'string' ? argument['value'] : undefined;
}

/** Each name that the declaration takes from the module by itself. */
function importedNames(node: Node): string[] | undefined {
  if (node.type !== 'ImportDeclaration' || !Array.isArray(node['specifiers'])) return undefined;
  const names = (node['specifiers'] as readonly unknown[]).map((it) => (isNode(it) ? nameOf(it['imported']) : undefined));
  return names.every((name) => name !== undefined) ? names : undefined;
}

function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Identifier' && typeof value['name'] === 'string' ? value['name'] : undefined;
}

function globalOf(node: Node): string[] {
  if (node.type === 'MemberExpression') {
    const object = nameOf(node['object']);
    const property = nameOf(node['property']);
    return object === undefined ? [] : [object, ...(property === undefined ? [] : [`${object}.${property}`])];
  }
  const callee = nameOf(node['callee']);
  if (node.type === 'CallExpression' && callee !== undefined) return [callee];
  const bareDate = node.type === 'NewExpression' && callee === 'Date' && Array.isArray(node['arguments']) && node['arguments'].length === 0;
  return bareDate ? ['new Date()'] : [];
}

/** What a TypeScript source imports and which globals it uses. Throws on a syntax error. */
export function readSource(path: string, text: string): SourceFacts {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors.map(({ message }) => message).join('; ')}`);
  const specifiers: string[] = [];
  const bindings: string[] = [];
  const globals = new Set<string>();
  for (const node of nodesBelow(program as unknown as Node)) {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      specifiers.push(specifier);
      bindings.push(...(importedNames(node)?.map((name) => `${specifier}#${name}`) ?? [specifier]));
    }
    for (const name of globalOf(node)) globals.add(name);
  }
  return { specifiers, bindings, globals };
}

/** A relative specifier as a path from the root; a package or builtin as its name. */
export function resolveSpecifier(importer: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(importer), specifier);
  return specifier;
}
