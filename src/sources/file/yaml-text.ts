import { LineCounter, isCollection, isMap, isNode, isScalar, isSeq, parseDocument, type Document } from 'yaml';
import { keyMistakes } from '../../lib/yaml-keys.ts';

/** One mistake in a YAML file. */
export interface YamlError {
  /** Such as `workloads[0].swapMb[1]`; empty for the document as a whole. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export type YamlText =
  | { readonly errors: readonly YamlError[] }
  | { readonly errors?: undefined; readonly value: unknown; errorAt(path: readonly PropertyKey[], message: string): YamlError };

/** A person writes few; many make a small file expand to a large one. */
const MAX_ALIASES = 100;

/**
 * The value of JSON as programs write it; undefined for anything else. What comes out is exactly what went in, so that no key can have been there twice and nothing can mean
 * something else in YAML, whose parser takes a hundred times as long.
 */
export function parseProgramsJson(text: string): unknown {
  if (!/^[{[]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const written = text.trimEnd();
    return written === JSON.stringify(value) || written === JSON.stringify(value, null, 2) ? value : undefined;
  } catch (error) {
    // Deep nesting is a RangeError.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Parses one YAML 1.2 document; duplicate keys and more than 100 resolved aliases are errors. */
export function parseYaml(text: string): YamlText {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const problems = [...document.errors, ...document.warnings];
    if (problems.length > 0) {
      return { errors: problems.map(({ message, pos }) => ({ path: '', line: lines.linePos(pos[0]).line, message })) };
    }
    const keys = keyMistakes(document);
    if (keys.length > 0) return { errors: keys.map(({ message, offset }) => ({ path: '', line: lines.linePos(offset).line, message })) };
    return {
      value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown,
      errorAt: (path, message) => ({ path: formatPath(path), line: lines.linePos(offsetOf(document, path)).line, message }),
    };
  } catch (error) {
    if (error instanceof ReferenceError) return { errors: [{ path: '', line: 1, message: error.message }] };
    if (error instanceof RangeError) return { errors: [{ path: '', line: 1, message: 'is nested too deeply' }] };
    throw error;
  }
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

/** Where the key or item at the path begins, or the nearest parent that is there. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    }
    if (!isCollection(node)) break;
  }
  return offset;
}
