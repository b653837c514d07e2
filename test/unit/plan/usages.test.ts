import { describe, expect, it } from 'vitest';
import { digestOfName } from '../../../src/plan/usages.ts';
import { DIGEST } from '../../helpers/snapshot.ts';

describe('the digest in a file name', () => {
  it.each(['', '_sm', '_5', '_10737418240'])('should be found in <sha1>%s', (suffix) => {
    expect(digestOfName(`${DIGEST}${suffix}`)).toBe(DIGEST);
  });

  it('should be found before a final newline, as Nova finds it', () => {
    expect(digestOfName(`${DIGEST}_12\n`)).toBe(DIGEST);
  });

  it.each(['_', '_sm2', '_12x', '_-1', '_1_2', '.part', '_12\n\n', '_sm\n'])('should not be found in <sha1>%j', (suffix) => {
    expect(digestOfName(`${DIGEST}${suffix}`)).toBeUndefined();
  });
});
