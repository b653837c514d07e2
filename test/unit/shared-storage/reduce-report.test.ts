import { describe, expect, it } from 'vitest';
import type { HostReport, ReportedWorkload } from '../../../src/model/host-report.ts';
import { reduceReport } from '../../../src/shared-storage/reduce-report.ts';

const VIEW = { hostInstancesPath: '/i', subdirectoryName: '_base', needsInstanceNames: false };
const VM: ReportedWorkload = { name: 'vm', instanceNames: ['a'], resizing: false, images: [], swapMb: [], ephemeral: [], paths: [] };

function reduce(workloads: readonly Partial<ReportedWorkload>[], view = VIEW) {
  const report: HostReport = {
    apiVersion: 'basekeeper.io/v1',
    kind: 'HostReport',
    host: 'host-b',
    takenAtMs: 1,
    onlyByReport: true,
    incomplete: [],
    workloads: workloads.map((over) => ({ ...VM, ...over })),
    pins: [],
  };
  return reduceReport(report, view);
}

const many = (count: number, over: (number: number) => Partial<ReportedWorkload>) =>
  Array.from({ length: count }, (_, number) => over(number));

describe('what is kept of a report', () => {
  it('should say of each of a few VMs what it names', () => {
    const { report } = reduce([
      { name: 'vm-1', images: [{ role: 'image', ref: 'x' }] },
      { name: 'vm-2', swapMb: [512] },
    ]);
    expect(report.workloads).toMatchObject([
      { name: 'vm-1 on host host-b', images: [{ ref: 'x' }], isElsewhere: true },
      { name: 'vm-2 on host host-b', swapMb: [512] },
    ]);
  });

  it('should lose nothing that many VMs name, and keep it once', () => {
    const vms = many(300, (number) => ({
      images: [
        { role: 'image', ref: `image-${number % 7}` },
        { role: 'kernel', ref: 'image-0' },
      ],
      swapMb: [number % 3],
      ephemeral: [{ sizeGb: number % 2 }, { sizeGb: 1, filesystem: 'ext4' }],
      paths: [`/i/vm-${number}/disk`, '/elsewhere/_base/b'],
    }));
    const [all, ...others] = reduce(vms).report.workloads;
    expect(others).toEqual([]);
    expect(all?.name).toBe('one of 300 VMs on host host-b');
    expect(all?.images.map(({ role, ref }) => `${role} ${ref}`).toSorted()).toEqual([
      ...many(7, (number) => ({ name: `image image-${number}` })).map(({ name }) => name),
      'kernel image-0',
    ]);
    expect(all?.swapMb.toSorted()).toEqual([0, 1, 2]);
    expect(all?.ephemeral).toHaveLength(3);
    expect(all?.paths).toHaveLength(300);
    expect(all?.mentions).toEqual(['/elsewhere/_base/b']);
  });

  it('should keep names of instance directories where they count, those of a resize included', () => {
    const vms = [{ instanceNames: ['a'] }, { instanceNames: ['b'], resizing: true }];
    expect(reduce(vms).report.workloads.flatMap(({ instanceNames }) => instanceNames)).toEqual([]);
    const { report } = reduce(vms, { ...VIEW, needsInstanceNames: true });
    expect(report.workloads.flatMap(({ instanceNames }) => instanceNames)).toEqual(['a', 'b', 'b_resize']);
  });

  it.each(['/etc/shadow', '/i/../etc/shadow', 'relative', '/instances', '/i'])(
    'should not be taken for a file of this host: %s',
    (path) => {
      const { report } = reduce([{ name: 'vm-1', paths: [path, '/i/vm/disk'] }]);
      expect(report.workloads.flatMap(({ paths }) => paths)).toEqual(['/i/vm/disk']);
      expect(report.incomplete).toEqual([expect.stringMatching(/^vm-1 has a disk at ".*", which is not below \/i and cannot/)]);
    },
  );

  it('should cost more the more it names, and nothing that is named again', () => {
    const cost = (count: number) => reduce(many(300, (number) => ({ images: [{ role: 'image', ref: `image-${number % count}` }] }))).cost;
    expect(cost(200) - cost(100)).toBeGreaterThan(100 * 300);
    expect(cost(1)).toBeLessThan(1000);
  });
});
