import { describe, expect, it } from 'vitest';
import { parseMountTable } from '../../../src/disk/mount-table.ts';
import { shareIn } from '../../../src/surroundings/nfs-share.ts';

const ROOT = '21 1 8:1 / / rw - ext4 /dev/sda1 rw';
const nfs = (mountPoint: string, source: string, { root = '/', options = 'rw,vers=4.2,addr=192.0.2.7' } = {}) =>
  `40 21 0:50 ${root} ${mountPoint} rw - nfs4 ${source} ${options}`;

const found = (directory: string, ...lines: readonly string[]) => shareIn(parseMountTable([ROOT, ...lines].join('\n')), directory);

describe('where the instances path lies on an NFS server', () => {
  it.each([
    ['the export itself', '/i', nfs('/i', 'Filer.example:/export/nova'), '/export/nova'],
    ['a directory of the export', '/srv/nova/i', nfs('/srv', 'Filer.example:/export'), '/export/nova/i'],
    [
      'a directory that was mounted by itself, as in a container',
      '/i',
      nfs('/i', 'Filer.example:/export', { root: '/nova' }),
      '/export/nova',
    ],
    ['the root of the server', '/i', nfs('/i', 'Filer.example:/'), '/'],
  ])('should be found for %s', (_what, directory, line, path) => {
    expect(found(directory, line)).toEqual({ servers: ['filer.example', '192.0.2.7'], path });
  });

  it('should have one name for a server that was mounted by its address, with brackets or without', () => {
    expect(found('/i', nfs('/i', '192.0.2.7:/x'))?.servers).toEqual(['192.0.2.7']);
    expect(found('/i', nfs('/i', '[2001:db8::1]:/x', { options: 'rw,addr=2001:db8::1' }))).toEqual({
      servers: ['2001:db8::1'],
      path: '/x',
    });
  });

  it('should be nowhere on a local file system, also below one that is on NFS', () => {
    expect(found('/i')).toBeUndefined();
    expect(found('/srv/i', nfs('/srv', 'filer:/x'), '50 40 8:2 / /srv/i rw - ext4 /dev/sdb rw')).toBeUndefined();
    expect(found('/srv-2/i', nfs('/srv', 'filer:/x'))).toBeUndefined();
  });
});
