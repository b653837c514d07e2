import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Bench } from '../lib/row.ts';

const GOAL_BYTES = 2.5e6;

export const bundleBench: Bench = {
  name: 'bundle',
  run({ bundle }) {
    const size = bundleBytes(dirname(bundle));
    const megabytes = `${(size / 1e6).toFixed(2)} MB`;
    return Promise.resolve([
      {
        id: 'bundle',
        what: 'bundle, all its parts together (the kubectl plugin is another)',
        against: '–',
        goal: '≤ 2.5 MB',
        figure: megabytes,
        met: size <= GOAL_BYTES,
        measures: { bytes: size },
      },
    ]);
  },
};

/** Of the program in `directory`: its entry, and what that may read. */
export function bundleBytes(directory: string): number {
  const names = readdirSync(directory).filter(
    (name) => name === 'basekeeper.js' || /^(?:basekeeper-main|chunk-.*|lazy-.*)\.c?js$/.test(name),
  );
  return names.reduce((bytes, name) => bytes + statSync(join(directory, name)).size, 0);
}
