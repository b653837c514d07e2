import { compileAnchoredPattern, type AnchoredPattern } from '../../lib/patterns/anchored-pattern.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ValueRule } from '../../model/workload-rule.ts';
import { compileJsonPath, type JsonPath } from '../../lib/patterns/json-path.ts';

/** What a rule found for one field, and what it could not understand. */
export interface FoundValues {
  readonly values: readonly (string | number)[];
  readonly problems: readonly string[];
}

export type ValueReader = (object: unknown) => FoundValues;

/** Longer ones are not a name, an id or a path, and would only cost time. */
const MAX_LENGTH = 4096;

/** Throws an `Error` where path or pattern cannot be compiled. */
export function compileValue(rule: ValueRule): ValueReader {
  const { value } = rule;
  if (value !== undefined) return () => ({ values: [value], problems: [] });
  const path = rule.path ?? '';
  const query = compileJsonPath(path);
  const pattern = rule.match === undefined ? undefined : compileAnchoredPattern(rule.match);
  return (object) => {
    const found = select(query, object);
    if (typeof found === 'string') return { values: [], problems: [`${path}: ${found}`] };
    // The API server's way to say that there is none.
    const there = found.filter((entry) => entry !== null && entry !== undefined);
    if (there.length === 0 && !rule.optional) return { values: [], problems: [`${path} yields nothing`] };
    return takeAll(there, pattern, rule);
  };
}

function select(query: JsonPath, object: unknown): readonly unknown[] | string {
  try {
    return query(object);
  } catch (error) {
    // What is too large or too deep for the path: a gap of this object, not the end of the pass.
    return messageOf(error);
  }
}

function takeAll(found: readonly unknown[], pattern: AnchoredPattern | undefined, { path, match, optional }: ValueRule): FoundValues {
  const values: (string | number)[] = [];
  const problems: string[] = [];
  for (const entry of found) {
    if (typeof entry !== 'string' && typeof entry !== 'number') {
      problems.push(`${path} yields ${kindOf(entry)}, expected text or a number`);
    } else if (typeof entry === 'string' && entry.length > MAX_LENGTH) {
      problems.push(`${path} yields a text of more than ${MAX_LENGTH} characters`);
    } else {
      const part = pattern === undefined ? entry : pattern(String(entry));
      if (part !== undefined) values.push(part);
      else if (!optional) problems.push(`${path} yields ${quote(entry)}, which does not match ${match}`);
    }
  }
  return { values, problems };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'boolean' ? JSON.stringify(value) : 'an object';
}

/** As JSON, so that control characters show; cut, because a message is for people. */
export function quote(value: string | number): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
