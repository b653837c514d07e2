/** Reading untrusted JSON without trusting its shape: every helper gives `undefined` for what is not there or of another type. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** An own property only: `__proto__`, `constructor` and the like are never inherited values. */
export function field(value: unknown, key: string): unknown {
  const object = asObject(value);
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The value at the end of a path of own properties. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) current = field(current, key);
  return current;
}

/** The value of a JSON text; undefined where it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A non-empty string. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function asArray(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** What strict reading takes: more is refused before anything is built from it. */
export interface JsonBounds {
  /** Strings, numbers, literals, objects and arrays; keys count as well. */
  readonly values: number;
  readonly depth: number;
}

export type StrictJson =
  | { readonly value: unknown; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: 'not JSON' | 'too much' | 'a key twice' };

/**
 * The value of a JSON text that others may have written: bounded, and no object has a key twice. Of two values of one key, `JSON.parse`
 * keeps the last without a word, and another program may read the first.
 */
export function parseStrictJson(text: string, bounds: JsonBounds): StrictJson {
  const keys = countKeys(text, bounds);
  if (keys === undefined) return { problem: 'too much' };
  try {
    const value = JSON.parse(text) as unknown;
    return ownKeys(value) === keys ? { value } : { problem: 'a key twice' };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: 'not JSON' };
    throw error;
  }
}

/** Undefined where a bound is passed. Of what is not JSON, any number. */
function countKeys(text: string, bounds: JsonBounds): number | undefined {
  let [keys, values, depth] = [0, 1, 0];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') index = endOfString(text, index);
    else if (character === ':') keys += 1;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (character === ':' || character === ',' || character === '[' || character === '{') values += 1;
    if (values > bounds.values || depth > bounds.depth) return undefined;
  }
  return keys;
}

/** Of the closing quote: the first that no backslash takes its meaning from. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, end: number): boolean {
  let before = end;
  while (text[before - 1] === '\\') before -= 1;
  return (end - before) % 2 === 1;
}

function ownKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner: readonly unknown[] = Object.values(value);
  return inner.reduce((sum: number, item) => sum + ownKeys(item), Array.isArray(value) ? 0 : inner.length);
}
