import { errnoOf, ownMessageOf } from '../lib/errors.ts';

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
 * so that people can read it. Anything else is returned as it is.
 */
export function withReadablePath(error: unknown, descriptorPath: string, path: string): unknown {
  const code = errnoOf(error);
  if (!(error instanceof Error) || code === undefined || !error.message.includes(descriptorPath)) return error;
  return Object.assign(new Error(ownMessageOf(error).replaceAll(descriptorPath, path), { cause: error }), { code });
}
