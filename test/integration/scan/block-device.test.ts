import { execFileSync } from 'node:child_process';
import type * as NodeFs from 'node:fs';
import type { Dirent } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { createOverlayScanner } from '../../../src/overlays/overlay-scanner.ts';
import { buildTree } from '../../helpers/tree.ts';

// Making one takes a right that many containers lack.
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof NodeFs>();
  const asDevice = (entry: Dirent): Dirent =>
    entry.name === 'disk' ? Object.assign(Object.create(entry) as Dirent, { isFile: () => false, isBlockDevice: () => true }) : entry;
  const readdirSync = (path: string, options: { encoding: 'utf8'; withFileTypes: true }) =>
    real.readdirSync(path, options).map((entry) => asDevice(entry));
  return { ...real, readdirSync };
});

it('should call a disk that is a block device unreadable, and not open it', async () => {
  using tree = buildTree({ 'vm/disk': { qcow2: {} } });
  const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
  const { overlays, headersRead } = await scanner.scan({ instanceNames: new Set() });
  expect(overlays).toMatchObject([{ path: 'vm/disk', state: 'unreadable', message: expect.stringContaining('block device') }]);
  expect(headersRead).toBe(0);
});

it.skipIf(process.geteuid?.() !== 0)(
  'should see no file behind a block device that a source names, whatever its format (needs root to make one)',
  async () => {
    using tree = buildTree({});
    const device = `${tree.instancesPath}-device`;
    execFileSync('mknod', [device, 'b', '7', '7']);
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    for (const format of ['raw', 'qcow2', undefined]) {
      const { unseen } = await scanner.scan({ instanceNames: new Set(), disks: [{ path: device, format, by: 'vm' }] });
      expect(unseen).toMatchObject([{ path: device, cause: 'NotAnImageFile' }]);
    }
  },
);
