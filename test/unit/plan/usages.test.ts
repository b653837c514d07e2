import { describe, expect, it } from 'vitest';
import { indexOverlays } from '../../../src/plan/usages.ts';
import { digestOfName } from '../../../src/model/names.ts';
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

describe('what overlays stand on', () => {
  const link = (reference: string, path?: string) => ({
    reference,
    path,
    baseName: path?.replace('_base/', ''),
    exists: true,
    protects: [reference.slice(reference.lastIndexOf('/') + 1)],
  });
  const overlay = (...chain: ReturnType<typeof link>[]) => ({ instance: 'i-1', path: 'i-1/disk', state: 'ok', chain }) as const;

  it('should say by which chain, for every file of a chain of several steps', () => {
    const index = indexOverlays([
      overlay(link('snapshot', 'i-1/snapshot'), link('/b/_base/top', '_base/top'), link('/b/_base/low', '_base/low')),
    ]);
    const usage = { by: 'i-1', through: 'overlay', value: 'i-1/disk', chain: ['i-1/snapshot', '_base/top', '_base/low'] };
    expect([index.get('top'), index.get('low')]).toEqual([[usage], [usage]]);
  });

  it('should say nothing of a chain of one step, which is the file itself', () => {
    expect(indexOverlays([overlay(link('/b/_base/top', '_base/top'))]).get('top')).toStrictEqual([
      { by: 'i-1', through: 'overlay', value: 'i-1/disk' },
    ]);
  });
});
