import { describe, expect, it } from 'vitest';
import { playRaces } from './model.ts';

describe('passes among writers, by every order of their steps', () => {
  it('should never remove a base file with a live overlay, a live lock holder or a known reference', async () => {
    // `npm run races` plays other seeds, and more of each.
    const { failure, removals, emptied, restored } = await playRaces({ runs: 500, seed: 1 });
    expect(failure).toBeUndefined();
    // The property would mean little if nothing was ever removed.
    expect(removals).toBeGreaterThan(50);
    expect(emptied).toBeGreaterThan(5);
    expect(restored).toBeGreaterThan(5);
  });
});
