import { afterEach, describe, expect, it, vi } from 'vitest';
import { MAX_TIDY_BYTES, tidyHeap } from '../../../src/agent/tidy-heap.ts';

function withHeap(heapUsed: number, external: number) {
  const collect = vi.fn<NonNullable<typeof globalThis.gc>>();
  vi.stubGlobal('gc', collect);
  const usage = process.memoryUsage();
  vi.spyOn(process, 'memoryUsage').mockReturnValue({ ...usage, heapUsed, external });
  return collect;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('tidying the heap', () => {
  it('should collect everything where little is in use', () => {
    const collect = withHeap(12 * 2 ** 20, 4 * 2 ** 20);
    expect(tidyHeap()).toBe(true);
    expect(collect).toHaveBeenCalledExactlyOnceWith({ type: 'major', flavor: 'last-resort', execution: 'sync' });
  });

  it('should not hold up the event loop of an agent with many files', () => {
    const collect = withHeap(12 * 2 ** 20, MAX_TIDY_BYTES);
    expect(tidyHeap()).toBe(false);
    expect(collect).not.toHaveBeenCalled();
  });

  it('should do without where Node.js was not started with --expose-gc', () => {
    vi.stubGlobal('gc', undefined);
    expect(tidyHeap()).toBe(false);
  });
});
