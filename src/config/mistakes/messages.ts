import type { ConfigError } from '../types.ts';
import { closestMatch } from 'leven';
import type * as z from 'zod/mini';

type RawIssue = z.core.$ZodRawIssue;

/** What is wrong with a value and what to write instead, for zod's `error` option. Unknown keys: see `unknownKeyMessage`. */
export function issueMessage(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeMessage(issue.expected, issue.input);
    case 'invalid_value':
      return choiceMessage(issue.values.map(String), issue.input);
    case 'too_small':
      return issue.origin === 'string'
        ? 'must not be empty; remove the key or give it a value'
        : `must be at least ${issue.minimum}, not ${show(issue.input)}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}, not ${show(issue.input)}`;
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'invalid_union':
    case 'custom':
    default:
      // Formats have their message in the schema; the others do not occur or are put together elsewhere.
      return undefined;
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a whole number',
  string: 'text',
  object: 'a section of keys and values',
  record: 'a section of keys and values',
  array: 'a list, one "- " line per entry',
};

function typeMessage(expected: string, input: unknown): string {
  if (input === undefined) return 'is required; add it';
  const wanted = EXPECTED[expected] ?? expected;
  if (input === null) return `is empty; remove the key or give it ${wanted}`;
  const hint = expected === 'string' && typeof input !== 'object' ? '; put it in quotes' : unquoted(expected, input);
  return `must be ${wanted}, not ${show(input)}${hint}`;
}

function unquoted(expected: string, input: unknown): string {
  if (typeof input !== 'string') return '';
  if (expected === 'boolean') return '; YAML knows only true and false, without quotes';
  return (expected === 'int' || expected === 'number') && /^\s*\d+\s*$/.test(input) ? '; remove the quotes' : '';
}

function choiceMessage(choices: readonly string[], input: unknown): string {
  if (input === undefined) return `is required: one of ${choices.join(', ')}`;
  const near = typeof input === 'string' ? nearest(input, choices) : undefined;
  return `must be one of ${choices.join(', ')}, not ${show(input)}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

/** `known`: the keys of that section. `everywhere`: the paths of all keys, for one that stands in the wrong section or has Nova's spelling. */
export function unknownKeyMessage(key: string, known: readonly string[], everywhere: readonly string[]): string {
  const near = nearest(key, known) ?? everywhere.find((path) => plain(path.split('.').at(-1) ?? '') === plain(key));
  if (near !== undefined) return `is not a known key; did you mean ${near}?`;
  const few = known.length > 0 && known.length <= 10;
  return `is not a known key; remove it${few ? `, or use one of ${known.join(', ')}` : ''}`;
}

function nearest(input: string, candidates: readonly string[]): string | undefined {
  const same = candidates.find((candidate) => plain(candidate) === plain(input));
  // Two neighbours that changed places, or a third of the letters; a very long input is not a typing error and would be slow to compare.
  if (same !== undefined || input.length > 64) return same;
  return closestMatch(input, candidates, { maxDistance: input.length < 4 ? 1 : Math.max(2, Math.floor(input.length / 3)) });
}

function plain(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase();
}

/** A value as an error shows it: short, on one line, control characters escaped. */
function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a section';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** `config.yaml:12:3: sources.pods.enabled must be true or false, not "on"; …` */
export function formatConfigError(error: ConfigError): string {
  const place = [error.origin, error.line, error.column].filter((part) => part !== undefined).join(':');
  return [place === '' ? '' : `${place}: `, error.path === '' ? '' : `${error.path} `, error.message].join('');
}
