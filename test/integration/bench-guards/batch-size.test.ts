import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withBatchSize } from '../../../scripts/lib/batch-size.ts';

const source = readFileSync('src/execute/batches.ts', 'utf8');

it('a copy of the batches with a fixed size should have no other size', () => {
  const copy = withBatchSize(source, 7);
  expect(copy).toContain('BATCH_SIZE: BatchSize = { smallest: 7, largest: 7 };');
  expect(/batchSizeFor\([^)]*\): BatchSize \{[^}]*\}/.exec(copy)?.[0]).toContain('return BATCH_SIZE;');
});

it('a copy should not be made where the source says its sizes in another way', () => {
  expect(() => withBatchSize(source.replace('smallest: 64', 'smallest: 65'), 7)).toThrow('correct scripts/lib/batch-size.ts');
});
