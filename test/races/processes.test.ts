import { describe, expect, it } from 'vitest';
import { raceAgainstProcesses } from './processes.ts';

describe('passes among real writers with real locks and real images', () => {
  it('should never remove what a VM stands on, while there is much to remove', async () => {
    const { violations, rounds, removals, passes, reused } = await raceAgainstProcesses({ writers: 3, rounds: 25, seed: 1 });
    expect(violations).toEqual([]);
    expect(rounds).toBe(75);
    // The race would prove little if nobody met.
    for (const count of [removals, passes, reused]) expect(count).toBeGreaterThan(5);
  });
});
