import { RE2JS } from 're2js';

/** The longest path that Linux takes (PATH_MAX); no glob needs to be longer. */
export const MAX_PATH_GLOB_LENGTH = 4096;

/**
 * Whether a path, or a directory above it, matches one of the globs: `*` and `?` within a name, `**` for any number of directories.
 * Everything else stands for itself. The matcher is linear in the path.
 */
export function pathMatcher(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map((glob) => RE2JS.compile(`${translate(glob.replace(/\/+$/, ''))}(?:/.*)?`, RE2JS.DOTALL));
  return (path) => patterns.some((pattern) => pattern.matches(path));
}

function translate(glob: string): string {
  return glob.replaceAll(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (part) => {
    switch (part) {
      case '**/':
        return '(?:.*/)?';
      case '**':
        return '.*';
      case '*':
        return '[^/]*';
      case '?':
        return '[^/]';
      default:
        return RE2JS.quote(part);
    }
  });
}
