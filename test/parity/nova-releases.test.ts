import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { piecesOf } from './nova-pieces.ts';
import { COMPARED_RELEASES, describePieces, PIECES, RUN_RELEASES, unreadPieces } from './nova-releases.ts';

const DEBIAN = '/usr/lib/python3/dist-packages/nova';
const paths = new Set(Object.keys(PIECES).map((piece) => piece.split(' ')[0] ?? ''));

let copy: string;
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'basekeeper-nova-'));
  for (const path of paths) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(DEBIAN, path), join(copy, path));
  }
});
afterEach(() => {
  rmSync(copy, { recursive: true });
});

function change(path: string, from: string, to: string): void {
  const text = readFileSync(join(copy, path), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(copy, path), text.replace(from, to));
}

describe("Nova's source, piece by piece", () => {
  it('should be what was read, in the Nova that is installed here', () => {
    const { pieces } = piecesOf(DEBIAN);
    expect(unreadPieces(pieces)).toEqual([]);
    expect(describePieces(pieces).filter((line) => !line.startsWith('same '))).toEqual([]);
  });

  it.each([
    ['virt/libvirt/imagecache.py', 'age < maxage', 'age <= maxage', 'virt/libvirt/imagecache.py: the cache manager'],
    [
      'virt/storage_users.py',
      'TWENTY_FOUR_HOURS = 3600 * 24',
      'TWENTY_FOUR_HOURS = 3600 * 48',
      'virt/storage_users.py: the registry of hosts',
    ],
    [
      'virt/libvirt/imagebackend.py',
      '@utils.synchronized(filename, external=True, lock_path=self.lock_path)\n        def copy_raw',
      'def copy_raw',
      'virt/libvirt/imagebackend.py Flat.create_image: the writer of raw disks',
    ],
    [
      'virt/libvirt/utils.py',
      'images.qemu_img_info(path, format).backing_file',
      'images.qemu_img_info(path, format).full_backing_file',
      "virt/libvirt/utils.py get_disk_backing_file: a disk's backing file",
    ],
    ['conf/imagecache.py', '(24 * 3600)', '(48 * 3600)', "conf/imagecache.py: the options' defaults"],
  ])('should be reported to be read again when %s changes', (path, from, to, piece) => {
    change(path, from, to);
    expect(unreadPieces(piecesOf(copy).pieces)).toEqual([`nova/${piece}`]);
  });

  it('should not be reported when only a comment of a function changes', () => {
    change('virt/libvirt/imagebackend.py', 'base_dir = os.path.join(', '# Where base files are.\n        base_dir = os.path.join(');
    expect(unreadPieces(piecesOf(copy).pieces)).toEqual([]);
  });

  it("should have the options' defaults that the preset nova has", () => {
    const { config } = loadConfig({ env: { NODE_NAME: 'node' }, text: 'preset: nova\n' });
    const { defaults } = piecesOf(DEBIAN);
    expect(defaults).toMatchObject({
      manager_interval: String(config?.schedule.kind === 'interval' && config.schedule.intervalSeconds),
      subdirectory_name: `'${config?.subdirectoryName}'`,
      remove_unused_original_minimum_age_seconds: '24 * 3600',
      remove_unused_resized_minimum_age_seconds: String(config?.policy.resizedMinimumAgeSeconds),
    });
    expect(config?.policy.originalMinimumAgeSeconds).toBe(24 * 3600);
  });
});

describe('the table of releases', () => {
  const document = readFileSync('docs/nova-parity.md', 'utf8');

  it('should name every release that was compared, and no other', () => {
    const [, table = ''] = /## Releases of Nova([^]*?)\n## /.exec(document) ?? [];
    const rows = [...table.matchAll(/^\| (\d+\.\d+\.\d+) \|.*\| (yes|–) \|$/gm)];
    expect(rows.map(([, version]) => version)).toEqual(COMPARED_RELEASES);
    expect(rows.filter(([, , run]) => run === 'yes').map(([, version]) => version)).toEqual(RUN_RELEASES);
  });
});
