import { describe, expect, it } from 'vitest';
import { errnoError, hasErrno, withReadablePath } from '../../../src/lib/errors.ts';

describe('errno errors', () => {
  it('should be told by their code', () => {
    expect(hasErrno(errnoError('EINVAL', 'why'), 'ENOENT', 'EINVAL')).toBe(true);
    expect(hasErrno(errnoError('EINVAL', 'why'), 'ENOENT')).toBe(false);
    expect(hasErrno(new TypeError('a mistake'), 'ENOENT')).toBe(false);
  });

  it('should begin with their code and keep their cause', () => {
    const cause = new Error('deeper');
    expect(errnoError('EINVAL', 'why', cause)).toMatchObject({ code: 'EINVAL', message: 'EINVAL: why', cause });
  });
});

describe('withReadablePath', () => {
  it('should name the directory instead of its descriptor', () => {
    const error = errnoError('EACCES', "permission denied, unlink '/proc/self/fd/17/base'");
    const readable = withReadablePath(error, '/proc/self/fd/17', '/instances/_base');
    expect(readable).toMatchObject({ code: 'EACCES', message: "EACCES: permission denied, unlink '/instances/_base/base'" });
  });

  it('should keep what caused the error, and not the number of the descriptor', () => {
    const cause = new Error('deeper');
    const error = errnoError('EACCES', "unlink '/proc/self/fd/17/base'", cause);
    expect(withReadablePath(error, '/proc/self/fd/17', '/instances/_base')).toHaveProperty('cause', cause);
  });

  it.each([errnoError('EIO', 'no path'), new TypeError('/proc/self/fd/17'), 'no error'])(
    'should leave anything else as it is: %s',
    (error) => {
      expect(withReadablePath(error, '/proc/self/fd/17', '/instances/_base')).toBe(error);
    },
  );
});
