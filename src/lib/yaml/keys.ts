import { isScalar, visit, type Document } from 'yaml';

/** Far more than any section of ours has; mistakes in it would be looked up one by one. */
const MAX_KEYS = 1000;

export interface KeyMistake {
  /** Where the key, or the section with too many keys, begins in the text. */
  readonly offset: number;
  readonly message: string;
}

/**
 * Keys that are given twice in one section, and sections with more than 1000 keys. The library's own `uniqueKeys` compares
 * every key with every other: a hundred thousand take it a minute.
 */
export function keyMistakes(document: Document): readonly KeyMistake[] {
  const mistakes: KeyMistake[] = [];
  visit(document, {
    Map(_, map) {
      if (map.items.length > MAX_KEYS) {
        mistakes.push({ offset: map.range?.[0] ?? 0, message: `a section has more than ${MAX_KEYS} keys` });
        return visit.SKIP;
      }
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const value = isScalar(key) ? key.value : key;
        const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
        if (seen.has(value)) mistakes.push({ offset, message: `${nameOf(value)} is given twice in one section; keep one of the two` });
        seen.add(value);
      }
      return undefined;
    },
  });
  return mistakes;
}

function nameOf(key: unknown): string {
  return typeof key === 'string' && /^[\w-]{1,60}$/.test(key) ? key : 'a key';
}
