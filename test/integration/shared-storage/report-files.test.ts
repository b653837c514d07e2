import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { HostReport } from '../../../src/model/host-report.ts';
import { OwnReport } from '../../../src/shared-storage/own-report.ts';
import { ReportFiles } from '../../../src/shared-storage/report-files.ts';
import { makeTree, startProgram } from '../../helpers/execute-tree.ts';

/** Nova's user, and another one of the node. */
const [NOVA, OTHER] = [42436, 1234];

const REPORT: HostReport = {
  apiVersion: 'basekeeper.io/v1',
  kind: 'HostReport',
  host: 'host-b',
  takenAtMs: 1,
  onlyByReport: true,
  incomplete: [],
  workloads: [],
  pins: [],
};

const VIEW = { hostInstancesPath: '/i', subdirectoryName: '_base', needsInstanceNames: false };

function setUp() {
  const tree = makeTree();
  for (const path of [tree.instancesPath, tree.locksPath]) chownSync(path, NOVA, NOVA);
  new OwnReport(tree).publish(REPORT);
  const path = join(tree.locksPath, 'basekeeper-host-host-b.json');
  const read = () => new ReportFiles(tree, VIEW).read(['host-b']).get('host-b');
  return { ...tree, path, read };
}

type Trees = ReturnType<typeof setUp>;

/** Replaces the file without end, by what it is at first. */
const REPLACE = `
import os, sys
path = sys.argv[1]
text = open(path, 'rb').read()
print('ready', flush=True)
while True:
    with open(path + '.new', 'wb') as file: file.write(text)
    os.replace(path + '.new', path)
`;

/** What an attacker has put elsewhere: it says what the report says. */
function forge({ instancesPath }: Trees): string {
  const elsewhere = join(instancesPath, 'elsewhere.json');
  writeFileSync(elsewhere, JSON.stringify(REPORT));
  return elsewhere;
}

describe('the report of another host', () => {
  it('should be Nova’s, and be read as it was written', () => {
    const { path, read } = setUp();
    const { uid, mode } = statSync(path);
    expect({ uid, mode: mode & 0o777 }).toEqual({ uid: NOVA, mode: 0o644 });
    expect(read()).toEqual({ report: REPORT });
  });

  it.each<[string, (trees: Trees) => void, RegExp]>([
    ['a link', (trees) => (rmSync(trees.path), symlinkSync(forge(trees), trees.path)), /cannot be read: ELOOP/],
    ['a FIFO', ({ path }) => (rmSync(path), execFileSync('mkfifo', [path])), /is not a regular file/],
    ['a directory', ({ path }) => (rmSync(path), mkdirSync(path)), /is not a regular file/],
    [
      'a second name of another file',
      (trees) => (rmSync(trees.path), linkSync(forge(trees), trees.path)),
      /is not believed: it has 2 names/,
    ],
    [
      'another user’s',
      ({ path }) => chownSync(path, OTHER, OTHER),
      /is not believed: it belongs to user 1234, its directory to user 42436/,
    ],
    ['everybody’s to write', ({ path }) => chmodSync(path, 0o666), /is not believed: every user of the node may write to it/],
    [
      'behind a link in the place of the lock directory',
      ({ locksPath }) => (renameSync(locksPath, `${locksPath}-2`), symlinkSync('locks-2', locksPath)),
      /cannot be read: (ELOOP|ENOTDIR)/,
    ],
    ['larger than a report can be', ({ path }) => writeFileSync(path, ' '.repeat(9 * 1024 * 1024)), /EFBIG/],
  ])('should not be believed, and be told, when it is %s', (_, change, expected) => {
    const trees = setUp();
    change(trees);
    expect(trees.read()).toEqual({ problem: expect.stringMatching(expected) });
  });

  it('should be read whole, and believed, while its host replaces it', async () => {
    const { path, read } = setUp();
    const writer = startProgram('python3', ['-c', REPLACE, path]);
    await writer.answer();
    for (let count = 0; count < 5000; count++) expect(read()).toEqual({ report: REPORT });
    await writer.kill();
  });

  it('should be missed where there is none, and where nobody has made a lock directory', () => {
    const { path, locksPath, read } = setUp();
    rmSync(path);
    expect(read()).toEqual({ problem: 'it has not reported: does an agent run there?' });
    rmSync(locksPath, { recursive: true });
    expect(read()).toEqual({ problem: 'it has not reported: does an agent run there?' });
  });
});

describe('the reports of all hosts together', () => {
  const CHILD = fileURLToPath(new URL('../../helpers/reports-child.ts', import.meta.url));

  /** Of a host that names so many images, each of them once. */
  const named = (host: string, images: number, over: Partial<HostReport> = {}): HostReport => ({
    ...REPORT,
    host,
    takenAtMs: Date.now(),
    workloads: [
      {
        name: 'vm',
        instanceNames: [],
        resizing: false,
        images: Array.from({ length: images }, (_, number) => ({ role: 'image', ref: `${host}-${number}` })),
        swapMb: [],
        ephemeral: [],
        paths: [],
      },
    ],
    ...over,
  });

  it('should be known as far as there is room, and name the hosts for which there is none', () => {
    const trees = setUp();
    const hosts = ['host-big', 'host-c', 'host-d', 'host-e'];
    for (const host of hosts) new OwnReport(trees).publish(named(host, host === 'host-big' ? 900 : 10));
    const files = new ReportFiles(trees, VIEW, 300_000);
    const room = 'its report names more than there is room for';
    for (const _ of ['first', 'again']) {
      const found = files.read(hosts);
      expect(found.get('host-big')?.problem).toContain(room);
      for (const host of hosts.slice(1)) expect(found.get(host)?.report?.workloads[0]?.images).toHaveLength(10);
    }
    new OwnReport(trees).publish(named('host-big', 600));
    expect(files.read(hosts).get('host-big')?.report?.workloads[0]?.images, 'more than its share, but there is room').toHaveLength(600);
    new OwnReport(trees).publish(named('host-c', 590));
    const crowded = files.read(hosts);
    expect([crowded.get('host-c')?.problem, crowded.get('host-big')?.problem]).toEqual([undefined, expect.stringContaining(room)]);
  });

  it('should not be parsed again while only their time changes, and be newer all the same', () => {
    const trees = setUp();
    const files = new ReportFiles(trees, VIEW);
    const publish = (takenAtMs: number, count = 2) => new OwnReport(trees).publish(named('host-b', count, { takenAtMs }));
    publish(10);
    const first = files.read(['host-b']).get('host-b')?.report;
    publish(20.5);
    const second = files.read(['host-b']).get('host-b')?.report;
    expect([first?.takenAtMs, second?.takenAtMs]).toEqual([10, 20.5]);
    expect(second?.workloads[0]).toBe(first?.workloads[0]);
    expect(files.changesOf('host-b')).toBe(2);
    publish(20.5, 3);
    expect(files.read(['host-b']).get('host-b')?.report?.workloads[0]?.images).toHaveLength(3);
    expect(files.changesOf('host-b')).toBe(3);
    files.read(['host-b']);
    expect(files.changesOf('host-b')).toBe(3);
  });

  // 64 MiB for the container, of which Node.js may take 38 for its heap.
  it('should not run this process out of memory, whatever they name, and be known for 100 hosts of 300 VMs', () => {
    const trees = setUp();
    const read = (hosts: readonly string[]) => {
      const limits = ['--max-old-space-size=38', '--max-semi-space-size=1'];
      const args = [...limits, CHILD, trees.instancesPath, trees.locksPath, ...hosts];
      return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as {
        known: number;
        problems: string[];
        digests: number;
      };
    };
    const hosts = Array.from({ length: 100 }, (_, number) => `node-${number}`);
    for (const [index, host] of hosts.entries()) {
      const vm = (number: number) => ({
        ...named(host, 0).workloads[0],
        name: `instance-${index}-${number}`,
        instanceNames: [`${host}-${number}`, `instance-${index}-${number}`],
        images: [{ role: 'image' as const, ref: `8c9b0a52-0000-4000-8000-${String((index * 7 + number) % 400).padStart(12, '0')}` }],
      });
      new OwnReport(trees).publish({
        ...named(host, 0),
        workloads: Array.from({ length: 300 }, (_, n) => vm(n)) as HostReport['workloads'],
      });
    }
    expect(read(hosts)).toEqual({ known: 100, problems: [], digests: 400 });
    const vms = (host: string) => Array.from({ length: 50 }, (_, n) => ({ ...named(`${host}-${n}`, 220).workloads[0], name: `vm-${n}` }));
    for (const host of hosts.slice(0, 12))
      new OwnReport(trees).publish({ ...named(host, 0), workloads: vms(host) as HostReport['workloads'] });
    const { known, problems } = read(hosts);
    expect(known).toBeLessThan(98);
    expect(new Set(problems.map((problem) => problem.slice(0, 39)))).toEqual(new Set(['its report names more than there is roo']));
    expect(known + problems.length).toBe(100);
  }, 120_000);
});

describe('the report of this host', () => {
  it('should be missed by us where somebody else has written it', () => {
    const trees = setUp();
    const own = new OwnReport(trees);
    expect([own.publish(REPORT), own.publish(REPORT)]).toEqual([undefined, undefined]);
    new OwnReport(trees).publish(REPORT);
    expect(own.publish(REPORT)).toContain('let no other agent have the same sharedStorage.hostName');
    expect(own.publish(REPORT)).toBeUndefined();
    rmSync(trees.path);
    symlinkSync('elsewhere', trees.path);
    expect(own.publish(REPORT)).toContain('somebody else has written the report of this host');
    rmSync(trees.path);
    expect(own.publish(REPORT)).toBeUndefined();
  });

  it.each(['basekeeper-host-host-b.json', '.basekeeper-host-host-b.json.tmp'])('should write through no link at %s', (name) => {
    const trees = setUp();
    const elsewhere = join(trees.instancesPath, 'profile');
    writeFileSync(elsewhere, '# mine');
    rmSync(join(trees.locksPath, name), { force: true });
    symlinkSync(elsewhere, join(trees.locksPath, name));
    new OwnReport(trees).publish(REPORT);
    expect(readFileSync(elsewhere, 'utf8')).toBe('# mine');
    expect(lstatSync(trees.path).isFile()).toBe(true);
    expect(trees.read()).toEqual({ report: REPORT });
    expect(readdirSync(trees.locksPath)).toEqual(['basekeeper-host-host-b.json']);
  });

  it('should be written to no directory that a link leads to', () => {
    const trees = setUp();
    const { locksPath, instancesPath } = trees;
    const elsewhere = join(instancesPath, 'elsewhere');
    mkdirSync(elsewhere);
    rmSync(locksPath, { recursive: true });
    symlinkSync(elsewhere, locksPath);
    expect(() => new OwnReport(trees).publish(REPORT)).toThrow(/ELOOP|ENOTDIR/);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(existsSync(trees.path)).toBe(false);
  });

  it('should be written to the directory that was opened, whatever takes its place meanwhile', () => {
    const trees = setUp();
    const { locksPath, instancesPath } = trees;
    const elsewhere = join(instancesPath, 'elsewhere');
    mkdirSync(elsewhere);
    const report = {
      ...REPORT,
      // It is made into a text after the directories were opened.
      get takenAtMs() {
        renameSync(locksPath, `${locksPath}-2`);
        symlinkSync(elsewhere, locksPath);
        return 2;
      },
    };
    new OwnReport(trees).publish(report);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readFileSync(`${locksPath}-2/basekeeper-host-host-b.json`, 'utf8')).toContain('"takenAtMs":2');
  });
});
