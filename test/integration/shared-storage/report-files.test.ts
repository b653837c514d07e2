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
import { describe, expect, it } from 'vitest';
import type { HostReport } from '../../../src/model/host-report.ts';
import { publishReport, ReportFiles } from '../../../src/shared-storage/report-files.ts';
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

function setUp() {
  const tree = makeTree();
  for (const path of [tree.instancesPath, tree.locksPath]) chownSync(path, NOVA, NOVA);
  publishReport(tree, REPORT);
  const path = join(tree.locksPath, 'basekeeper-host-host-b.json');
  const read = () => new ReportFiles(tree).read(['host-b']).get('host-b');
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

describe('the report of this host', () => {
  it.each(['basekeeper-host-host-b.json', '.basekeeper-host-host-b.json.tmp'])('should write through no link at %s', (name) => {
    const trees = setUp();
    const elsewhere = join(trees.instancesPath, 'profile');
    writeFileSync(elsewhere, '# mine');
    rmSync(join(trees.locksPath, name), { force: true });
    symlinkSync(elsewhere, join(trees.locksPath, name));
    publishReport(trees, REPORT);
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
    expect(() => publishReport(trees, REPORT)).toThrow(/ELOOP|ENOTDIR/);
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
    publishReport(trees, report);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readFileSync(`${locksPath}-2/basekeeper-host-host-b.json`, 'utf8')).toContain('"takenAtMs":2');
  });
});
