/** Reads values.yaml with its comments: those that start with "--" describe the value below them. */
import { type Document, isMap, isNode, isScalar, parseDocument, type YAMLMap } from 'yaml';

export interface DescribedValue {
  /** Such as `image.tag`. */
  readonly path: string;
  readonly description: string;
  readonly value: unknown;
}

/**
 * All values that have a description, in the file's order: a mapping may have one as well as its keys. A value that has none, neither itself
 * nor above it, is an error: it would be missing in the README.
 */
export function describedValues(source: string): DescribedValue[] {
  const document = parseDocument(source);
  if (document.errors[0] !== undefined) throw document.errors[0];
  if (!isMap(document.contents)) throw new Error('values.yaml holds no mapping');
  return [...walk(document.contents, { prefix: '', first: undefined, covered: false, document })];
}

interface Place {
  readonly prefix: string;
  /** The comment above the first key of a mapping belongs to the mapping. */
  readonly first: string | null | undefined;
  /** Something above has a description. */
  readonly covered: boolean;
  readonly document: Document;
}

function* walk(map: YAMLMap, { prefix, first, covered, document }: Place): Generator<DescribedValue> {
  for (const [index, { key, value }] of map.items.entries()) {
    if (!isScalar(key) || typeof key.value !== 'string') throw new Error(`values.yaml: a key below "${prefix}" is not text`);
    const path = prefix === '' ? key.value : `${prefix}.${key.value}`;
    const description = descriptionIn(index === 0 ? (first ?? key.commentBefore) : key.commentBefore);
    if (description !== undefined) yield { path, description, value: isNode(value) ? (value.toJS(document) as unknown) : value };
    if (isMap(value) && value.items.length > 0) {
      yield* walk(value, { prefix: path, first: value.commentBefore, covered: covered || description !== undefined, document });
    } else if (description === undefined && !covered) {
      throw new Error(`values.yaml: "${path}" has no comment that starts with "--"`);
    }
  }
}

function descriptionIn(comment: string | null | undefined): string | undefined {
  const lines = (comment ?? '').split('\n').map((line) => line.trim());
  const start = lines.findLastIndex((line) => line.startsWith('--'));
  if (start === -1) return undefined;
  return lines
    .slice(start)
    .join(' ')
    .replace(/^--\s*/, '')
    .trim();
}
