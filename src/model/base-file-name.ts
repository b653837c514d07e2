/**
 * The digest (40 lower-case hex digits) of the image whose references protect this base file, or undefined: the inverse of
 * Nova's `_find_base_file`, which finds `<sha1>`, `<sha1>_sm` and what matches `<sha1>_[0-9]+$` (before a final newline, too).
 */
export function digestOf(name: string): string | undefined {
  return /^([0-9a-f]{40})(?:_sm|_[0-9]+\n?)?$/.exec(name)?.[1];
}
