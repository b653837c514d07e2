import { expect, it } from 'vitest';
import { withPlaces } from '../../../src/disk/open-places.ts';
import { buildTree } from '../../helpers/tree.ts';

it('places should be opened through a link in the place of the instances path, and never through one in the place of locks', () => {
  using tree = buildTree({ 'real/locks': { directory: true }, 'real/elsewhere': { directory: true }, link: { symlink: 'real' } });
  const placesOf = (instancesPath: string) => ({ instancesPath, locksPath: `${instancesPath}/locks` });
  expect(withPlaces(placesOf(tree.path('link')), () => 'used')).toBe('used');
  tree.remove('real/locks');
  tree.add({ 'real/locks': { symlink: 'elsewhere' } });
  expect(() => withPlaces(placesOf(tree.path('real')), () => 'used')).toThrow(/ELOOP|ENOTDIR/);
});
