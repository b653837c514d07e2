/** What libuv has no name for, though file systems on Linux do give it: some calls say `Unknown system error -<number>`, others `UNKNOWN`. */
const UNNAMED: Readonly<Record<string, readonly [name: string, text: string]>> = {
  '37': ['ENOLCK', 'no locks available'],
  '74': ['EBADMSG', 'bad message: the file system found a wrong checksum'],
  '116': ['ESTALE', 'stale file handle'],
  '117': ['EUCLEAN', 'structure needs cleaning: the file system is damaged'],
  '122': ['EDQUOT', 'disk quota exceeded'],
};
const UNKNOWN_ERROR = /^Unknown system error -(\d+)$/;

/** The errno name of a Node.js system error (`ENOENT`, …), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return unnamedOf(error)?.[0] ?? error.code;
}

/** The error's own message, with a name also for what libuv has none for: `ESTALE: stale file handle, lstat '…'`. */
export function ownMessageOf(error: Error): string {
  const [name, text] = unnamedOf(error) ?? [];
  if (name === undefined || text === undefined) return error.message;
  let named = 0;
  return error.message.replace(/Unknown system error -\d+|^UNKNOWN\b|\bunknown error\b/g, () => {
    named += 1;
    return named === 1 ? name : text;
  });
}

function unnamedOf(error: Error): readonly [name: string, text: string] | undefined {
  const { code = '', errno } = error as NodeJS.ErrnoException;
  const [, number = ''] = UNKNOWN_ERROR.exec(code) ?? [];
  if (number !== '') return UNNAMED[number];
  return code === 'UNKNOWN' && typeof errno === 'number' ? UNNAMED[-errno] : undefined;
}

/** A message for people, with the messages of all causes. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? ownMessageOf(error) : `${ownMessageOf(error)}: ${messageOf(error.cause)}`;
}

/** Whether `error` carries one of these errno names. */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errnoOf(error);
  return code !== undefined && codes.includes(code);
}

/** An error of our own that callers treat like one of the system's. */
export function errnoError(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(`${code}: ${message}`, { cause }), { code });
}

/**
 * The same system error with `/proc/self/fd/<fd>` in its message replaced by the directory's path,
 * so that people can read it, and so that a text that is logged once does not change with the number. Anything else is returned as it is.
 */
export function withReadablePath(error: unknown, descriptorPath: string, path: string): unknown {
  const code = errnoOf(error);
  if (!(error instanceof Error) || code === undefined || !error.message.includes(descriptorPath)) return error;
  return Object.assign(new Error(ownMessageOf(error).replaceAll(descriptorPath, path), { cause: error.cause }), { code });
}

/** The user's mistake: printed without a stack, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
