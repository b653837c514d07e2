import { expect, it } from 'vitest';
import { judgeDisturbed, moving } from '../soundness/disturbed.ts';

it('should lose nothing of a random layout of real images while its directories are resized, and do all the work at last', async () => {
  // `npm run races` tries more of them.
  const { failures, removed } = await judgeDisturbed({ seed: 6, layouts: 12, disturb: moving() });
  expect(failures.join('\n')).toBe('');
  expect(removed).toBeGreaterThan(0);
});
