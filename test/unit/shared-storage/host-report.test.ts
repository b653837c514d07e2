import { describe, expect, it } from 'vitest';
import { formatHostReport, hostReport, parseHostReport, reportFileName } from '../../../src/shared-storage/host-report.ts';
import { NOW_MS, synced, workload } from '../../helpers/snapshot.ts';

const FACTS = {
  host: 'host-b',
  takenAtMs: NOW_MS,
  onlyByReport: true,
  instancesPath: '/i',
  subdirectoryName: '_base',
  pins: { imageRefs: ['a'], fileNames: ['swap_*'] },
};
const READING = {
  status: synced(),
  workloads: [workload({ ephemeral: [{ sizeGb: 20 }], swapMb: [512], paths: ['/x/_base/y'] })],
  gaps: [],
};
const written = (): Record<string, unknown> => JSON.parse(JSON.stringify(hostReport(FACTS, [READING], NOW_MS))) as Record<string, unknown>;

describe("a host's report", () => {
  it('should be read as it was written', () => {
    const { report } = parseHostReport(JSON.stringify(written()), 'host-b');
    expect(report).toEqual(written());
    expect(report).toMatchObject({
      incomplete: [],
      takenAtMs: NOW_MS,
      pins: [{ origin: 'configuration', imageRefs: ['a'], fileNames: ['swap_*'] }],
    });
    expect(report?.workloads).toMatchObject([{ name: 'vm-1', swapMb: [512], ephemeral: [{ sizeGb: 20 }] }]);
  });

  it('should have what is wanted on the host as pins, as older agents read them', () => {
    const pins = [{ origin: 'ConfigMap a/b', imageRefs: ['w'], fileNames: [], wanted: ['w'] }];
    const report = hostReport({ ...FACTS, pins: { imageRefs: ['v'], fileNames: [], wanted: ['v'] } }, [{ ...READING, pins }], NOW_MS);
    expect(report.pins).toEqual([
      { origin: 'configuration', imageRefs: ['v'], fileNames: [] },
      { origin: 'ConfigMap a/b', imageRefs: ['w'], fileNames: [] },
    ]);
  });

  it.each([
    ['a source that failed', { status: synced({ state: 'failed', message: 'EIO' }) }, 'source file is failed: EIO'],
    ['a source that is silent', { status: synced({ lastContactMs: NOW_MS - 60_001 }) }, 'source file has been silent'],
    ['a gap', { gaps: [{ kind: 'UnmappedWorkload', source: 'pods', message: 'pod a/b' }] as const }, 'pod a/b'],
    [
      'a disk that other hosts cannot read',
      { workloads: [workload({ disks: [{ path: '/i/vm/disk' }, { path: '/srv/seed.iso', format: 'raw' }, { path: '/srv/disk' }] })] },
      'the disk "/srv/disk" of vm-1 lies outside the instances path',
    ],
    [
      'a path of a rule that other hosts cannot read',
      { workloads: [workload({ paths: ['/i/vm/disk', '/srv/disk'] })] },
      'the disk "/srv/disk" of vm-1',
    ],
    ['more workloads than it holds', { workloads: Array.from({ length: 4001 }, () => workload()) }, 'there are 4001 workloads'],
    [
      'more than others read',
      {
        workloads: [
          workload({ swapMb: Array.from({ length: 1000 }, () => 1), paths: Array.from({ length: 700 }, () => `/i/${'x'.repeat(4000)}`) }),
        ],
      },
      'its 1 workloads and 1 pins do not fit into a report',
    ],
  ])('should say that it is not complete for %s', (_, over, expected) => {
    const { report } = parseHostReport(formatHostReport(hostReport(FACTS, [{ ...READING, ...over }], NOW_MS)), 'host-b');
    expect(report?.incomplete.join()).toContain(expected);
  });

  it('should have no path of a disk that its host opens as raw alone, which may begin with whatever a guest writes', () => {
    const disks = [
      { path: '/i/vm/raw', format: 'raw' },
      { path: '/i/vm/both', format: 'raw' },
      { path: '/i/vm/both', format: 'qcow2' },
      { path: '/i/_base/kernel', format: 'raw', isLoaded: true },
    ];
    const paths = ['/i/vm/raw', '/i/vm/both', '/i/vm/other', '/i/_base/kernel'];
    const { workloads } = hostReport(FACTS, [{ ...READING, workloads: [workload({ disks, paths })] }], NOW_MS);
    expect(workloads[0]?.paths).toEqual(['/i/vm/both', '/i/vm/other', '/i/_base/kernel']);
  });

  it('should mind no API that is absent', () => {
    expect(hostReport(FACTS, [{ ...READING, status: synced({ state: 'absent', lastContactMs: undefined }) }], NOW_MS).incomplete).toEqual(
      [],
    );
  });

  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['a list', '[]', 'not one that this version understands'],
    ['another version', JSON.stringify({ ...written(), apiVersion: 'basekeeper.io/v2' }), 'apiVersion'],
    ['an unknown key', JSON.stringify({ ...written(), complete: true }), 'not one that this version understands'],
    ['no reasons', JSON.stringify({ ...written(), incomplete: null }), 'incomplete'],
    ['an invalid time', JSON.stringify({ ...written(), takenAtMs: 'now' }), 'takenAtMs'],
    [
      'a directory that is a path',
      JSON.stringify({ ...written(), workloads: [{ ...workload(), source: undefined, instanceNames: ['../x'] }] }),
      'instanceNames',
    ],
    ['too many workloads', JSON.stringify({ ...written(), workloads: Array.from({ length: 4001 }, () => null) }), 'workloads'],
    [
      'more values than are read',
      JSON.stringify({ ...written(), incomplete: Array.from({ length: 60_001 }, () => '') }),
      'more than 60000 things',
    ],
    ['arrays in arrays', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'more than is read'],
    ['a key twice', JSON.stringify(written()).replace('{', '{"workloads":[],'), 'report has a key twice'],
    ['a key twice, spelled otherwise', JSON.stringify(written()).replace('{', String.raw`{"workload\u0073":[],`), 'a key twice'],
    ['a key twice far inside', JSON.stringify(written()).replace('"name":', '"name":"x","name":'), 'a key twice'],
    ["another host's name", JSON.stringify({ ...written(), host: 'host-c' }), 'it is about host "host-c"'],
  ])('should be refused where it has %s', (_, text, expected) => {
    const { report, problem } = parseHostReport(text, 'host-b');
    expect(report).toBeUndefined();
    expect(problem).toContain(expected);
  });

  it.each(['..', '../x', 'a/b', '', '.hidden', 'a\0b', 'a b', 'ä', 'x'.repeat(201)])('should have no file for a host named %j', (host) => {
    expect(reportFileName(host)).toBeUndefined();
  });

  it('should have a file beside the locks, which no lock of Nova is named like', () => {
    expect(reportFileName('node-1.example.org')).toBe('basekeeper-host-node-1.example.org.json');
  });
});
