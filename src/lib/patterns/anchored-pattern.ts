import { RE2JS, RE2JSException } from 're2js';

const MAX_PATTERN_LENGTH = 1000;

/** The part of the text that counts: what the capturing group took, or all of it; undefined where text or group does not match. */
export type AnchoredPattern = (text: string) => string | undefined;

/**
 * Compiles a regular expression in RE2's syntax (as Kubernetes and Prometheus have it) that must match a whole text, in time linear to
 * it. With a capturing group, that group's part counts. Throws an `Error` that says what is wrong.
 */
export function compileAnchoredPattern(pattern: string): AnchoredPattern {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new Error(`it is longer than ${MAX_PATTERN_LENGTH} characters`);
  const compiled = compile(pattern);
  if (compiled.groupCount() > 1) throw new Error('it has more than one capturing group; write (?:…) for those that only group');
  const group = compiled.groupCount();
  return (text) => {
    const matcher = compiled.matcher(text);
    return matcher.matches() ? (matcher.group(group) ?? undefined) : undefined;
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new Error(error.message, { cause: error });
  }
}
