import { describe, expect, it } from 'vitest';
import { fuzzHeaders } from './headers.ts';

describe('hostile image headers', () => {
  it('should neither crash nor look outside the tree, whatever they claim', () => {
    // `npm run fuzz` tries a million.
    const { kinds, chains } = fuzzHeaders({ headers: 30_000, seed: 1 });
    // The fuzzing would prove little if nothing got past the first check.
    for (const kind of ['image', 'invalid', 'raw']) expect(kinds[kind]).toBeGreaterThan(500);
    expect(chains).toBeGreaterThan(100);
  });
});
