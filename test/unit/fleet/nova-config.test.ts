import { describe, expect, it } from 'vitest';
import { novaCleans } from '../../../src/fleet/doctor/nova/config.ts';

const on = '[image_cache]\nremove_unused_base_images = true\n';

describe('Nova’s own cleaner', () => {
  it.each<readonly [string, readonly string[], boolean]>([
    ['by default', ['[DEFAULT]\ndebug = true\n'], true],
    ['by its option', [on], true],
    ['by its option, without spaces', ['[image_cache] \nremove_unused_base_images=False '], false],
    [
      'where only a comment or another section switches it off',
      ['[image_cache]\n# remove_unused_base_images = False\n[libvirt]\nremove_unused_base_images = False\n'],
      true,
    ],
    ['by its option of old', ['[DEFAULT]\nremove_unused_base_images = False\n'], false],
    ['by a word that oslo.config takes for false', ['[image_cache]\nremove_unused_base_images: off\n'], false],
    ['by a file that comes later', [on, '[image_cache]\nremove_unused_base_images = 0\n'], false],
    ['where its manager never runs', ['[image_cache]\nmanager_interval = -1\n'], false],
  ])('should be known: %s', (_how, files, cleans) => {
    expect(novaCleans({ files, unread: [] })).toBe(cleans);
  });

  it('should be unknown where nothing was read, or what was not read may say it', () => {
    expect(novaCleans({ files: [], unread: [] })).toBeUndefined();
    expect(novaCleans({ files: ['[DEFAULT]\n'], unread: ['Secret nova-etc'] })).toBeUndefined();
    expect(novaCleans({ files: [on], unread: ['Secret ceph'] })).toBe(true);
  });
});
