import { describe, expect, it } from 'vitest';
import { SERVER_CLOCK_TOLERANCE_MS, clockProblem } from '../../../src/surroundings/server-clock.ts';

const SERVER_MS = 1_800_000_000_000;
/** The API server answered when this machine's clock was off by so much, and an hour has passed since. */
const problemAt = (skewMs: number) =>
  clockProblem(
    { serverMs: SERVER_MS, at: { wallMs: SERVER_MS + skewMs, monotonicMs: 1000 } },
    { wallMs: SERVER_MS + 3_600_000 + skewMs, monotonicMs: 3_601_000 },
  );

describe("the API server's clock", () => {
  it('should be no problem while nobody has asked it, and where ours is near', () => {
    expect(clockProblem(undefined, { wallMs: 0, monotonicMs: 0 })).toEqual([]);
    for (const skewMs of [0, SERVER_CLOCK_TOLERANCE_MS, -SERVER_CLOCK_TOLERANCE_MS]) expect(problemAt(skewMs)).toEqual([]);
  });

  it('should be told where ours is ahead or behind', () => {
    expect(problemAt(864_000_000)).toEqual([expect.stringContaining("864000 s ahead of the API server's; set the clocks")]);
    expect(problemAt(-300_001)).toEqual([expect.stringContaining('300 s behind')]);
  });
});
