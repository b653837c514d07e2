import {
  LineCounter,
  isMap,
  isNode,
  isPair,
  isScalar,
  parseAllDocuments,
  parseDocument,
  type Document,
  type Node,
  type YAMLParseError,
  type YAMLWarning,
} from 'yaml';
import { keyMistakes } from './keys.ts';

export type Path = readonly PropertyKey[];

/** From 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Why a text is not a YAML document of ours. */
export interface YamlProblem {
  readonly message: string;
  readonly at?: Position | undefined;
}

/** A YAML text as plain data, with the place of each part. */
export interface YamlDocument {
  readonly problems?: undefined;
  /** What the text says; undefined where it is empty. */
  readonly value: unknown;
  /** Where the value at `path` stands, or the nearest parent that is there; with `atKey`, where its key stands. */
  locate(path: Path, atKey?: boolean): Position | undefined;
}

/** A person writes few; many make a small file expand to a large one. */
const MAX_ALIASES = 100;

const TOO_DEEP = 'it is nested too deeply';

/** `pretty` messages repeat the source text; ours give line and column instead. */
const OPTIONS = { prettyErrors: false, uniqueKeys: false };

type Problems = { readonly problems: readonly YamlProblem[] };

/**
 * Parses one YAML 1.2 document, which JSON is as well. `parseYamlDocuments` beside it is the only other reader of YAML, with the same
 * limits: syntax errors, duplicate keys, sections with more than 1000 keys and more than 100 resolved aliases are problems.
 */
export function parseYamlDocument(text: string): YamlDocument | Problems {
  // Nothing to parse: a command without a configuration file does without reading the parser.
  if (text === '') return { value: undefined, locate: () => undefined };
  const lines = new LineCounter();
  return orProblems(() => contentOf(parseDocument(text, { ...OPTIONS, lineCounter: lines }), lines));
}

/** As `parseYamlDocument`, for a text of any number of documents; empty ones are left out. */
export function parseYamlDocuments(text: string): { readonly problems?: undefined; readonly values: readonly unknown[] } | Problems {
  const lines = new LineCounter();
  return orProblems(() => {
    const found = parseAllDocuments(text, { ...OPTIONS, lineCounter: lines });
    const contents = Array.isArray(found) ? found.map((document) => contentOf(document, lines)) : [];
    const problems = contents.flatMap((content) => content.problems ?? []);
    if (problems.length > 0) return { problems };
    return { values: contents.flatMap((content) => ('value' in content && content.value !== undefined ? [content.value] : [])) };
  });
}

function contentOf(document: Document.Parsed, lines: LineCounter): YamlDocument | Problems {
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) return { problems: wrong.map((problem) => ({ message: explain(problem), at: positionOf(problem.pos[0]) })) };
  const keys = keyMistakes(document);
  if (keys.length > 0) return { problems: keys.map(({ message, offset }) => ({ message, at: positionOf(offset) })) };
  return {
    value: (document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown) ?? undefined,
    locate: (path, atKey = false) => locate(document, positionOf, path, atKey),
  };
}

function orProblems<T>(parse: () => T): T | Problems {
  try {
    return parse();
  } catch (error) {
    // An alias without an anchor, or more aliases than a person writes.
    if (error instanceof ReferenceError) return { problems: [{ message: error.message }] };
    if (error instanceof RangeError) return { problems: [{ message: TOO_DEEP }] };
    throw error;
  }
}

/** A string, or white space between other parts. */
const STRING_OR_SPACE = /("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g;

/**
 * The value of JSON as programs write it, whatever its white space; undefined for anything else. But for white space, what comes out is
 * exactly what went in, so that no key can have been there twice and nothing can mean something else in YAML, whose parser takes a hundred
 * times as long.
 */
export function parseProgramsJson(text: string): unknown {
  if (!/^[ \t\r\n]*[{[]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text.replace(STRING_OR_SPACE, (_, string: string | undefined) => plain(string)) ? value : undefined;
  } catch (error) {
    // Deep nesting is a RangeError.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A string as `JSON.stringify` writes it; others escape more, such as all that is not ASCII. */
function plain(string: string | undefined): string {
  if (string === undefined) return '';
  return string.includes('\\') ? JSON.stringify(JSON.parse(string)) : string;
}

/** `sources.pods`, `pins.imageRefs[0]`, `matchLabels["app.kubernetes.io/name"]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const name = String(part);
    if (!/^\w[\w-]*$/.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

function explain(problem: YAMLParseError | YAMLWarning): string {
  if (problem.code === 'MULTIPLE_DOCS') return 'the file holds more than one document; remove what follows the second "---"';
  if (problem.code === 'RESOURCE_EXHAUSTION') return TOO_DEEP;
  return problem.message;
}

function locate(document: Document, positionOf: (offset: number) => Position, path: Path, atKey: boolean): Position | undefined {
  let found: Node | null = document.contents;
  for (const [depth, part] of path.entries()) {
    const last = depth === path.length - 1;
    const next = child(found, part, atKey && last);
    if (next === undefined) break;
    found = next;
  }
  const offset = found?.range?.[0];
  return offset === undefined ? undefined : positionOf(offset);
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
