import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyRace, playRace, verdictOn } from './model.ts';

describe('passes among writers, by every order of their steps', () => {
  it('should never remove a base file with a live overlay, a live lock holder or a known reference', async () => {
    let removals = 0;
    await fc.assert(
      fc.asyncProperty(anyRace, fc.scheduler(), async (race, scheduler) => {
        const result = await playRace(race, scheduler);
        removals += result.world.removals.length;
        expect(verdictOn(result), result.world.log.join('\n')).toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(removals).toBeGreaterThan(20);
  });
});
