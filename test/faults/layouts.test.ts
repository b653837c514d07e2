import { describe, expect, it } from 'vitest';
import { Random } from '../hostile/random.ts';
import { failing, judgeDisturbed, killed } from '../soundness/disturbed.ts';

/** `npm run faults` tries more of them. */
const LAYOUTS = 8;

describe('a pass over a random layout of real images', () => {
  it.each([
    ['was killed', killed(new Random(3))],
    ['met system calls that fail', failing(new Random(4))],
  ])('should lose nothing, and do all the work at last, where passes before it %s', async (_what, disturb) => {
    const { failures, removed } = await judgeDisturbed({ seed: 5, layouts: LAYOUTS, disturb });
    expect(failures.join('\n')).toBe('');
    expect(removed).toBeGreaterThan(0);
  });
});
