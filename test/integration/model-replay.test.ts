import { describe, expect, it } from 'vitest';
import { replay } from '../model/replay.ts';
import { PLAYS } from '../model/trace.ts';

describe('traces of the model, replayed through the executor', () => {
  it.each(PLAYS.map((play) => [play.name, play] as const))(
    'should have the same steps in the same order, and the same outcomes: %s',
    async (_, play) => {
      // `npm run model` replays more than a thousand.
      let changes = 0;
      for (let seed = 1; seed <= 20; seed++) changes += await replay(play, seed);
      expect(changes).toBeGreaterThan(20);
    },
  );
});
