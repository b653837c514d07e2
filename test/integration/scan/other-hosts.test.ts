import { normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOverlayScanner } from '../../../src/overlays/overlay-scanner.ts';
import { buildTree } from '../../helpers/tree.ts';

const NONE: ReadonlySet<string> = new Set();

describe('a disk that a VM of another host has', () => {
  it('should not be taken for a file of this host outside, be it named by its path or by a link', async () => {
    using tree = buildTree({ '../elsewhere': { qcow2: {} }, link: { symlink: '{instances}/../elsewhere' } });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const outside = normalize(tree.path('../elsewhere'));
    const scan = async (isElsewhere: boolean) => {
      const disks = [outside, tree.path('link')].map((path) => ({ path, by: 'vm', isElsewhere }));
      return (await scanner.scan({ instanceNames: NONE, disks })).unseen.map(({ path, cause }) => `${path} ${cause}`).toSorted();
    };
    expect(await scan(false)).toEqual([]);
    expect(await scan(true)).toEqual([`${outside} NotFollowed`, `${tree.path('link')} NotFollowed`, 'link NotFollowed'].toSorted());
  });
});
