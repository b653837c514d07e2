import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { createLibvirtSource } from '../../../src/sources/libvirt/source.ts';

const INSTANCES = '/var/lib/nova/instances';
let root: string;

const definition = (name: string, uuid: string, disk: string): string =>
  `<!-- edited by virsh -->\n<domain><name>${name}</name><uuid>${uuid}</uuid><devices><disk><source file='${INSTANCES}/${disk}'/></disk></devices></domain>`;
const put = (path: string, text: string): void => writeFileSync(join(root, path), text);
const source = () =>
  createLibvirtSource({ statusPath: join(root, 'run'), definitionsPath: join(root, 'etc'), instancesPath: INSTANCES, clock: systemClock });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'basekeeper-libvirt-'));
  mkdirSync(join(root, 'run'));
  mkdirSync(join(root, 'etc/networks'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("libvirt's files", () => {
  it('should give one workload for a live domain and its definition, with what both name', async () => {
    put('etc/vm.xml', definition('vm', 'u-1', 'vm/disk'));
    put('run/vm.xml', `<domstatus state='running'>${definition('vm', 'u-1', '_base/aa').slice(25)}</domstatus>`);
    put('run/driver.pid', '1');
    const { status, workloads, gaps } = await source().read({ consistent: true });
    expect(status).toMatchObject({ name: 'libvirt', state: 'synced' });
    expect(gaps).toEqual([]);
    expect(workloads.map(({ name, paths }) => [name, paths])).toEqual([['vm', [`${INSTANCES}/_base/aa`, `${INSTANCES}/vm/disk`]]]);
  });

  it('should see at every reading what came, changed and went', async () => {
    const libvirt = source();
    const disks = async () => (await libvirt.read({ consistent: false })).workloads.map(({ paths }) => paths[0]);
    put('etc/a.xml', definition('a', 'u-a', 'a/disk'));
    expect(await disks()).toEqual([`${INSTANCES}/a/disk`]);
    put('etc/a.xml', definition('a', 'u-a', 'a/disk.new'));
    put('etc/b.xml', definition('b', 'u-b', 'b/disk'));
    expect(await disks()).toEqual([`${INSTANCES}/a/disk.new`, `${INSTANCES}/b/disk`]);
    unlinkSync(join(root, 'etc/a.xml'));
    expect(await disks()).toEqual([`${INSTANCES}/b/disk`]);
  });

  it('should report a half-written file and a link as gaps, and the other domains anyway', async () => {
    put('etc/good.xml', definition('good', 'u-1', 'good/disk'));
    put('etc/half.xml', definition('half', 'u-2', 'half/disk').slice(0, 60));
    symlinkSync('/etc/passwd', join(root, 'etc/link.xml'));
    const { workloads, gaps, status } = await source().read({ consistent: true });
    expect(status.state).toBe('synced');
    expect(workloads.map(({ name }) => name)).toEqual(['good']);
    expect(gaps.map(({ kind, message }) => [kind, message.replace(/:.*$/s, '')])).toEqual([
      ['UnreadableSource', join(root, 'etc/half.xml')],
      ['UnreadableSource', join(root, 'etc/link.xml')],
    ]);
  });

  it('should let definitions protect while libvirtd does not run, and fail where neither directory exists', async () => {
    put('etc/vm.xml', definition('vm', 'u-1', 'vm/disk'));
    rmSync(join(root, 'run'), { recursive: true });
    expect(await source().read({ consistent: true })).toMatchObject({ status: { state: 'synced' }, workloads: [{ name: 'vm' }] });
    rmSync(join(root, 'etc'), { recursive: true });
    expect(await source().read({ consistent: true })).toMatchObject({ status: { state: 'failed' }, gaps: [{ kind: 'UnreadableSource' }] });
  });

  it('should fail where only the directory of definitions is missing: a domain that is shut off would be unseen', async () => {
    put('run/vm.xml', `<domstatus state='running'>${definition('vm', 'u-1', 'vm/disk').slice(25)}</domstatus>`);
    rmSync(join(root, 'etc'), { recursive: true });
    const { status, gaps } = await source().read({ consistent: true });
    expect(status).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/etc does not exist, so domains that are shut off cannot be seen/),
    });
    expect(gaps).toMatchObject([{ kind: 'UnreadableSource' }]);
  });

  it('should fail for a directory that is gone on the host and lives on in a mount only', async () => {
    put('etc/vm.xml', definition('vm', 'u-1', 'vm/disk'));
    const fd = openSync(join(root, 'run'), 'r');
    try {
      rmSync(join(root, 'run'), { recursive: true });
      const statusPath = `/proc/self/fd/${fd}`;
      const libvirt = createLibvirtSource({ statusPath, definitionsPath: join(root, 'etc'), instancesPath: INSTANCES, clock: systemClock });
      const { status } = await libvirt.read({ consistent: true });
      expect([status.state, status.message]).toEqual(['failed', expect.stringContaining('still has the old one mounted')]);
    } finally {
      closeSync(fd);
    }
  });
});
