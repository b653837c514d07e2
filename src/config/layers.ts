import type { Path } from '../lib/yaml/document.ts';

/** A part of the configuration and where it comes from, such as `--instances-path`. Later layers win. */
export interface Layer {
  readonly origin: string;
  readonly values: unknown;
}

/** All layers in one: sections are merged key by key, everything else is replaced. */
export function mergeLayers(layers: readonly Layer[]): unknown {
  return layers.map((layer) => layer.values).reduce(merge, {});
}

function merge(below: unknown, above: unknown): unknown {
  if (!isSection(below) || !isSection(above)) return above;
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
  // fromEntries defines own properties, so that a key `__proto__` stays a key.
  return Object.fromEntries([...keys].map((key) => [key, pick(below, above, key)]));
}

function pick(below: Section, above: Section, key: string): unknown {
  if (!Object.hasOwn(above, key)) return below[key];
  return Object.hasOwn(below, key) ? merge(below[key], above[key]) : above[key];
}

type Section = Readonly<Record<string, unknown>>;

/** A mapping of keys to values, as YAML has it. */
export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The uppermost layer that says something about `path`, or about the nearest parent of it that any layer has. */
export function originOf(layers: readonly Layer[], path: Path): Layer | undefined {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const found = layers.findLast((layer) => has(layer.values, path.slice(0, depth)));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** True when one of the layers gives exactly this path. */
export function has(values: unknown, path: Path): boolean {
  let value = values;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return false;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return true;
}

/** `values` without what stands at `path`, or without the nearest parent of it that is there. A list with a bad entry goes as a whole, so that no index shifts. */
export function without(values: unknown, path: Path): unknown {
  const [key, ...rest] = path;
  if (key === undefined || !has(values, [key])) return values;
  if (Array.isArray(values)) return values.map((item: unknown, index) => (index === key ? without(item, rest) : item));
  if (!isSection(values)) return values;
  const child = values[String(key)];
  const entries = Object.entries(values);
  if (!goesInside(child, rest)) return Object.fromEntries(entries.filter(([name]) => name !== key));
  return Object.fromEntries(entries.map(([name, value]) => [name, name === key ? without(child, rest) : value]));
}

/** True when cutting `path` out of `child` leaves something of `child`. */
function goesInside(child: unknown, path: Path): boolean {
  const [first, ...rest] = path;
  if (first === undefined || !has(child, [first])) return false;
  return !Array.isArray(child) || goesInside(child[Number(first)], rest);
}
