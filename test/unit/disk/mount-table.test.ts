import { describe, expect, it } from 'vitest';
import { parseMountTable, strangerAt } from '../../../src/disk/mount-table.ts';

const ROOT = '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw';
const INSTANCES = '30 21 8:1 /var/lib/nova/instances /instances ro,relatime - ext4 /dev/sda1 rw';
const mount = (device: string, root: string, type = 'ext4') => `40 30 ${device} ${root} /instances/_base rw - ${type} /dev/x rw`;

/** What is mounted at /instances/_base, in this order. */
const found = (...lines: readonly string[]) => strangerAt(parseMountTable([ROOT, ...lines, ''].join('\n')), '/instances/_base');

describe('what is mounted as the base directory', () => {
  it('should be the directory itself where nothing is mounted over it', () => {
    expect(found()).toBeUndefined();
    expect(found(INSTANCES)).toBeUndefined();
  });

  it('should be the directory of this name, mounted by itself as the chart does', () => {
    expect(found(INSTANCES, mount('8:1', '/var/lib/nova/instances/_base'))).toBeUndefined();
    expect(found(mount('8:1', '/instances/_base'))).toBeUndefined();
  });

  it('should be a stranger where it is another directory', () => {
    expect(found(INSTANCES, mount('8:1', '/victim'))).toBe('/victim');
    expect(found(INSTANCES, mount('8:1', '/var/lib/nova/instances/_base.old'))).toBe('/var/lib/nova/instances/_base.old');
    expect(found(INSTANCES, mount('8:1', '/var/lib/nova/instances/_base//deleted'))).toBe('/var/lib/nova/instances/_base//deleted');
    expect(found(INSTANCES, mount('8:2', '/var/lib/nova/instances/_base'))).toBe('/var/lib/nova/instances/_base');
  });

  it('should be a file system of its own, on the host or through both mounts of a pod', () => {
    expect(found(mount('8:7', '/'))).toBeUndefined();
    expect(found(INSTANCES, mount('8:7', '/'), mount('8:7', '/'))).toBeUndefined();
    expect(found(INSTANCES, mount('0:40', '/@base', 'btrfs'))).toBeUndefined();
  });

  it('should be a stranger where the host has one there and the pod has another over it', () => {
    expect(found(INSTANCES, mount('8:7', '/'), mount('8:9', '/'))).toBe('/');
    expect(found(INSTANCES, mount('8:7', '/'), mount('8:1', '/victim'))).toBe('/victim');
  });

  it('should be believed on NFS, which calls everything "/"', () => {
    expect(found('30 21 0:50 / /instances ro - nfs4 server:/i ro', '40 30 0:50 / /instances/_base rw - nfs4 server:/i rw')).toBeUndefined();
  });

  it('should be found where paths have blanks and letters beyond ASCII', () => {
    const [entry] = parseMountTable(String.raw`40 30 8:1 /a\040b\134 /gr\303\274n rw - ext4 /dev/x rw`);
    expect(entry).toMatchObject({ root: '/a b\\', mountPoint: '/grün' });
    // As it is read: a character for each byte, and only blanks and such as digits.
    const asRead = Buffer.from(String.raw`40 30 8:1 /a\040€ /b`).toString('latin1');
    const [read] = parseMountTable(`${asRead}\xff rw - ext4 /dev/x rw`);
    expect(read).toMatchObject({ root: '/a €', mountPoint: '/b\udcff' });
  });

  it('should survive lines that are none', () => {
    expect(parseMountTable('\nx\n1 2 3\n - ')).toEqual([]);
  });
});
