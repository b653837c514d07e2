import { statSync } from 'node:fs';
import type { Bench } from '../lib/row.ts';

const GOAL_BYTES = 2.5e6;

export const bundleBench: Bench = {
  name: 'bundle',
  run({ bundle }) {
    const { size } = statSync(bundle);
    const megabytes = `${(size / 1e6).toFixed(2)} MB`;
    return Promise.resolve([
      {
        id: 'bundle',
        what: 'bundle',
        against: '–',
        goal: '≤ 2.5 MB',
        figure: megabytes,
        met: size <= GOAL_BYTES,
        measures: { bytes: size },
      },
    ]);
  },
};
