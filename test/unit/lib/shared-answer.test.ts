import { describe, expect, it } from 'vitest';
import { sharedAnswer } from '../../../src/lib/shared-answer.ts';
import { manualClock } from '../../helpers/reflector-harness.ts';

function setUp() {
  const clock = manualClock(0);
  const asked: PromiseWithResolvers<string>[] = [];
  const ask = (): Promise<string> => {
    const question = Promise.withResolvers<string>();
    asked.push(question);
    return question.promise;
  };
  const freshMs = (value: string) => (value === 'soon wrong' ? 50 : 1000);
  const get = sharedAnswer(ask, { clock, freshMs, waitMs: 20, staleMs: 30_000 });
  return { clock, asked, get };
}

describe('an answer that many ask for', () => {
  it('should be asked for once, however many wait for it', async () => {
    const { asked, get } = setUp();
    const all = Array.from({ length: 100 }, get);
    asked[0]?.resolve('a');
    expect(new Set(await Promise.all(all))).toEqual(new Set(['a']));
    expect(asked).toHaveLength(1);
  });

  it('should be given again while it is fresh, and asked for after that', async () => {
    const { clock, asked, get } = setUp();
    const first = get();
    asked[0]?.resolve('a');
    await first;
    clock.advance(1000);
    expect(await get()).toBe('a');
    expect(asked).toHaveLength(1);
    clock.advance(1);
    const second = get();
    asked[1]?.resolve('b');
    expect(await second).toBe('b');
  });

  it('should stay fresh for less where it says so', async () => {
    const { clock, asked, get } = setUp();
    const first = get();
    asked[0]?.resolve('soon wrong');
    await first;
    clock.advance(50);
    expect(await get()).toBe('soon wrong');
    expect(asked).toHaveLength(1);
    clock.advance(1);
    const second = get();
    asked[1]?.resolve('a');
    expect(await second).toBe('a');
  });

  it('should be the one before where the new one takes too long, until that is too old', async () => {
    const { clock, asked, get } = setUp();
    expect(await get()).toBeUndefined();
    asked[0]?.resolve('a');
    await asked[0]?.promise;
    clock.advance(30_000);
    expect(await get()).toBe('a');
    clock.advance(1);
    expect(await get()).toBeUndefined();
    expect(asked).toHaveLength(2);
  });

  it('should be asked for again after a failure, which those who wait are told', async () => {
    const { asked, get } = setUp();
    const failed = get();
    asked[0]?.reject(new Error('broken'));
    await expect(failed).rejects.toThrow('broken');
    const next = get();
    asked[1]?.resolve('a');
    expect(await next).toBe('a');
  });
});
