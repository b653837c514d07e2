import { describe, expect, it } from 'vitest';
import { raceAgainstProcesses } from './processes.ts';

/** The race would prove little if nobody met: how often removals, passes and files used again must have met, over all tries. */
const MEETINGS = 6;
const TRIES = 10;

describe('passes among real writers with real locks and real images', () => {
  it.each([
    ['on one host', false, false],
    ['on two hosts that share the directory', true, false],
    ['on one host, by way of the trash', false, true],
    ['on two hosts that share the directory, by way of the trash', true, true],
  ])('should never remove what a VM stands on, while there is much to remove: %s', async (_, shared, trash) => {
    const met = { removals: 0, passes: 0, reused: 0, ...(trash ? { emptied: 0 } : {}) };
    // How many passes fit in while the writers are busy depends on the machine.
    for (let seed = 1; seed <= TRIES && (seed <= 2 || Math.min(...Object.values(met)) < MEETINGS); seed++) {
      const race = await raceAgainstProcesses({ writers: 3, rounds: 25, seed, shared, trash });
      const { violations, rounds, removals, passes, reused, emptied } = race;
      expect(violations).toEqual([]);
      expect(rounds).toBe(75);
      met.removals += removals;
      met.passes += passes;
      met.reused += reused;
      if (met.emptied !== undefined) met.emptied += emptied;
    }
    expect(Math.min(...Object.values(met)), JSON.stringify(met)).toBeGreaterThanOrEqual(MEETINGS);
  });
});
