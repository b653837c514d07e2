import { describe, expect, it } from 'vitest';
import { describeResult } from './describe.ts';
import { runSoundness } from './run.ts';

describe('a pass over random layouts of real images', () => {
  it('should remove nothing that qemu-img finds in use, and all the rest where everything could be seen', async () => {
    // `npm run soundness` tries other seeds, and more layouts.
    const result = await runSoundness({ seed: 1, indexes: Array.from({ length: 100 }, (_, index) => index), reductions: 3 });
    expect(Object.values(result.faults).every((count) => count === 0) ? '' : describeResult(result)).toBe('');
    expect(result.layouts).toBe(100);
    // It would prove little if nothing was removed.
    expect(result.removed).toBeGreaterThan(100);
  });
});
