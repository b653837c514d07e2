import {
  LineCounter,
  isMap,
  isNode,
  isPair,
  isScalar,
  parseDocument,
  type Document,
  type Node,
  type YAMLParseError,
  type YAMLWarning,
} from 'yaml';
import { keyMistakes } from '../lib/yaml-keys.ts';
import type { ConfigError } from './types.ts';

export type Path = readonly PropertyKey[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML text as plain data, with the place of each part. */
export interface ConfigDocument {
  /** What the text says; `{}` where it is empty. */
  readonly value: unknown;
  /** Where the value at `path` stands, or the nearest parent that is there; with `atKey`, where its key stands. */
  locate(path: Path, atKey?: boolean): Position | undefined;
}

/** Parses one YAML 1.2 document. Returns every syntax error and every duplicate key. */
export function parseConfigText(text: string, origin: string): ConfigDocument | readonly ConfigError[] {
  const lines = new LineCounter();
  // `pretty` messages repeat the source text; ours give line and column instead.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    return problems.map((problem) => {
      const { line, col } = lines.linePos(problem.pos[0]);
      return { path: '', message: `is not valid YAML: ${explain(problem)}`, origin, line, column: col };
    });
  }
  const keys = keyMistakes(document);
  if (keys.length > 0) {
    return keys.map(({ message, offset }) => {
      const { line, col } = lines.linePos(offset);
      return { path: '', message: `is not valid YAML: ${message}`, origin, line, column: col };
    });
  }
  try {
    return { value: document.toJS() ?? {}, locate: (path, atKey = false) => locate(document, lines, path, atKey) };
  } catch (error) {
    // An alias without an anchor, or more aliases than a person writes.
    if (error instanceof ReferenceError) return [{ path: '', message: `is not valid YAML: ${error.message}`, origin }];
    throw error;
  }
}

function explain(problem: YAMLParseError | YAMLWarning): string {
  if (problem.code === 'MULTIPLE_DOCS') return 'the file holds more than one document; remove what follows the second "---"';
  return problem.message;
}

function locate(document: Document, lines: LineCounter, path: Path, atKey: boolean): Position | undefined {
  let found: Node | null = document.contents;
  for (const [depth, part] of path.entries()) {
    const last = depth === path.length - 1;
    const next = child(found, part, atKey && last);
    if (next === undefined) break;
    found = next;
  }
  const offset = found?.range?.[0];
  if (offset === undefined) return undefined;
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function child(parent: Node | null, part: PropertyKey, asKey: boolean): Node | undefined {
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && (isScalar(item.key) ? String(item.key.value) : undefined) === part);
    // A key without a value has a value node of no extent; its key is the place to look at.
    const node = asKey || isEmptyScalar(pair?.value) ? pair?.key : pair?.value;
    return isNode(node) ? node : undefined;
  }
  if (parent !== null && 'items' in parent && Array.isArray(parent.items) && typeof part === 'number') {
    const item: unknown = parent.items[part];
    return isNode(item) ? item : undefined;
  }
  return undefined;
}

function isEmptyScalar(value: unknown): boolean {
  return isScalar(value) && value.value === null && value.source === '';
}
