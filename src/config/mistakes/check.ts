import type * as z from 'zod/mini';
import type { Path } from '../../lib/yaml/document.ts';
import { allKeyPaths, keysAt } from './key-paths.ts';
import { without } from '../layers.ts';
import { issueMessage, unknownKeyMessage } from './messages.ts';
import { complete, toConfig, type CompleteSettings } from '../normalize.ts';
import { findMistakes } from './rules.ts';
import { settingsSchema } from '../schema/schema.ts';

/** Deeper than any path of the schema. */
const MAXIMUM_ROUNDS = 8;

/** What is wrong with a value, before anybody knows where it stands. */
export interface Mistake {
  readonly path: Path;
  readonly message: string;
  /** True when the key is wrong, not its value. */
  readonly atKey?: boolean | undefined;
}

/** Checks merged values against the schema and the rules; `settings` where there is no mistake. */
export function checkValues(
  values: unknown,
): { readonly settings: CompleteSettings } | { readonly settings?: undefined; readonly mistakes: readonly Mistake[] } {
  const parsed = settingsSchema.safeParse(values, { error: issueMessage });
  if (parsed.success) {
    const settings = complete(parsed.data);
    const mistakes = findMistakes({ settings: parsed.data, config: toConfig(settings) }, []);
    return mistakes.length === 0 ? { settings } : { mistakes };
  }
  const issues = parsed.error.issues.flatMap(mistakesOf);
  return { mistakes: [...issues, ...mistakesOfTheRest(values, issues)] };
}

/** The rules run on what is right, so that one run shows all mistakes. */
function mistakesOfTheRest(values: unknown, issues: readonly Mistake[]): readonly Mistake[] {
  const wrong = issues.filter((issue) => issue.atKey !== true).map((issue) => issue.path);
  let kept = issues.reduce<unknown>((rest, issue) => without(rest, issue.path), values);
  for (let round = 0; round < MAXIMUM_ROUNDS; round += 1) {
    const parsed = settingsSchema.safeParse(kept);
    if (parsed.success) return findMistakes({ settings: parsed.data, config: toConfig(complete(parsed.data)) }, wrong);
    // What was cut out was required where it stood: cut out what it stood in.
    kept = parsed.error.issues.reduce<unknown>((remaining, issue) => without(remaining, issue.path), kept);
  }
  return [];
}

function mistakesOf(issue: z.core.$ZodIssue): readonly Mistake[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
  return issue.keys.map((key) => ({
    path: [...issue.path, key],
    message: unknownKeyMessage(key, keysAt(issue.path), allKeyPaths()),
    atKey: true,
  }));
}
