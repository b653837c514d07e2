import { describe, expect, it } from 'vitest';
import { compareRandomTrees, describeFailure } from './random-trees.ts';

describe('Basekeeper with preset nova and the real Nova', () => {
  it('should do and say the same on random trees and workloads', async () => {
    // `npm run parity` tries other seeds, and more trees.
    const { failure, trees, fates } = await compareRandomTrees({ trees: 100, seed: 1 });
    expect(failure && describeFailure(failure)).toBeUndefined();
    expect(trees).toBe(100);
    // The comparison would prove little if the trees gave the managers nothing to do.
    for (const fate of ['left', 'touched', 'gone']) expect(fates[fate]).toBeGreaterThan(20);
  });
});
