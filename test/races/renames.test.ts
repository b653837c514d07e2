import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createOverlayScanner } from '../../src/overlays/overlay-scanner.ts';
import { buildTree, type TreeSpec } from '../helpers/tree.ts';

const BASE = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const NOBODY: ReadonlySet<string> = new Set();

/** Renames a path there and back without rest, as resizes do; tells when it has begun. */
const RENAMER = `
import os, sys
here, there = sys.argv[1:]
print('begun', flush=True)
while True:
    os.rename(here, there)
    os.rename(there, here)
`;

describe('a scan of overlays while an instance is being resized', () => {
  it.each([
    ['instance directory', 'vm-x', 'vm-x_resize'],
    ['disk', 'vm-x/disk', 'vm-x/disk.old'],
  ])('should see the overlay under one of its names, or say that it does not know: %s', async (_what, here, there) => {
    const others = Array.from({ length: 40 }, (_, index): [string, TreeSpec[string]] => [`vm-${index}/disk`, { content: 'x' }]);
    using tree = buildTree({ ...Object.fromEntries(others), [`vm-x/disk`]: { qcow2: { backingFile: `{instances}/_base/${BASE}` } } });
    const renamer = spawn('/usr/bin/python3', ['-c', RENAMER, tree.path(here), tree.path(there)], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(renamer.stdout, 'data');
      const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
      let overlooked = 0;
      for (let round = 0; round < 40; round++) {
        const { overlays, unseen } = await scanner.scan({ instanceNames: NOBODY });
        if (unseen.length === 0 && !overlays.some(({ chain }) => chain[0]?.baseName === BASE)) overlooked++;
      }
      expect(overlooked).toBe(0);
    } finally {
      renamer.kill('SIGKILL');
    }
  });
});
