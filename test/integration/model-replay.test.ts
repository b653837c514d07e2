import { describe, expect, it } from 'vitest';
import { replay } from '../model/replay.ts';

describe('traces of the model, replayed through the executor', () => {
  it('should have the same steps in the same order, and the same outcomes', async () => {
    // `npm run model` replays a thousand.
    let removals = 0;
    for (let seed = 1; seed <= 40; seed++) removals += await replay(seed);
    expect(removals).toBeGreaterThan(20);
  });
});
