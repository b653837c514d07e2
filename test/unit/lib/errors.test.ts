import { describe, expect, it } from 'vitest';
import { errnoOf, messageOf } from '../../../src/lib/errors.ts';

/** As Node.js makes it for an errno that libuv does not know. */
function unknownError(number: number): Error {
  const code = `Unknown system error -${number}`;
  return Object.assign(new Error(`${code}: ${code}, lstat '/x'`), { code, errno: -number });
}

describe('an errno that libuv has no name for', () => {
  it('should have the name that people know, in code and message', () => {
    expect(errnoOf(unknownError(116))).toBe('ESTALE');
    expect(messageOf(unknownError(116))).toBe("ESTALE: stale file handle, lstat '/x'");
    expect(errnoOf(unknownError(122))).toBe('EDQUOT');
    expect(messageOf(new Error('the scan failed', { cause: unknownError(122) }))).toBe(
      "the scan failed: EDQUOT: disk quota exceeded, lstat '/x'",
    );
  });

  it('should have that name also where Node.js says UNKNOWN, as its synchronous calls do', () => {
    const error = Object.assign(new Error('UNKNOWN: unknown error, write'), { code: 'UNKNOWN', errno: -122, syscall: 'write' });
    expect([errnoOf(error), messageOf(error)]).toEqual(['EDQUOT', 'EDQUOT: disk quota exceeded, write']);
    const other = Object.assign(new Error('UNKNOWN: unknown error, write'), { code: 'UNKNOWN', errno: -999 });
    expect([errnoOf(other), messageOf(other)]).toEqual(['UNKNOWN', 'UNKNOWN: unknown error, write']);
  });

  it('should stay as it is where we have none either', () => {
    expect(errnoOf(unknownError(999))).toBe('Unknown system error -999');
    expect(messageOf(unknownError(999))).toBe("Unknown system error -999: Unknown system error -999, lstat '/x'");
  });
});

describe('an error without a code of the system', () => {
  it.each([new Error('x'), Object.assign(new Error('x'), { code: 7 }), 'x', undefined])('should have no errno: %s', (error) => {
    expect(errnoOf(error)).toBeUndefined();
  });
});
