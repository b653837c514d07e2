import { expect, it } from 'vitest';
import { between } from '../../../../src/kube/watch/timing.ts';

it('should draw whole numbers with both ends', () => {
  expect([0, 0.34, 0.67, 0.999_999].map((value) => between([1, 3], () => value))).toEqual([1, 2, 3, 3]);
});
