import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHECKSUM_DIRECTORY } from '../../src/verify/checksums/directory.ts';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import type { Report } from '../../src/model/report.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { basekeeper } from '../helpers/basekeeper.ts';
import { startLockHolder, startProgram } from '../helpers/execute-tree.ts';
import { passOnTree } from '../helpers/pass-on-tree.ts';
import { qemuImg } from '../helpers/qemu-img.ts';
import { buildTree, DAY, type Tree } from '../helpers/tree.ts';

const IMAGE = 'an-image';
const NAME = cacheFileName(IMAGE);
const ON = { enabled: true, graceSeconds: 3600 };

interface Node {
  readonly tree: Tree;
  readonly trashPath: string;
  /** Names in the trash; undefined: there is none. */
  readonly trashed: () => string[] | undefined;
  readonly base: () => string[];
  readonly pass: (settings?: SettingsInput, imageRefs?: readonly string[]) => Promise<Report>;
  /** Puts a file into the trash as a pass did `ageSeconds` ago. */
  readonly putTrashed: (ageSeconds: number, name?: string) => string;
}

function setUp(): Node {
  const tree = buildTree({ [`_base/${NAME}`]: { ageSeconds: 2 * DAY, content: 'the image' }, locks: { directory: true } });
  onTestFinished(tree.cleanup);
  const trashPath = tree.path('_base/.basekeeper-trash');
  return {
    tree,
    trashPath,
    trashed: () => (existsSync(trashPath) ? readdirSync(trashPath) : undefined),
    base: () => readdirSync(tree.basePath).filter((name) => !name.startsWith('.')),
    async pass(settings = { trash: ON }, imageRefs = ['other']) {
      const workloads = tree.path('../workloads.yaml');
      writeFileSync(workloads, JSON.stringify({ workloads: imageRefs.map((imageRef, index) => ({ name: `vm-${index}`, imageRef })) }));
      return await passOnTree(tree, { workloads, settings, dryRun: false });
    },
    putTrashed(ageSeconds, name = NAME) {
      const entry = `${name}.${Date.now() - ageSeconds * 1000}`;
      tree.add({ [`_base/.basekeeper-trash/${entry}`]: { ageSeconds: 2 * DAY, content: 'the image' } });
      return entry;
    },
  };
}

const outcomes = ({ files, trash }: Report) => [...files, ...(trash?.files ?? [])].map(({ outcome }) => outcome);

describe('removal into the trash', () => {
  it('should move the file with all that it is, into a directory that is nobody else’s, and free nothing', async () => {
    const { tree, trashPath, trashed, base, pass } = setUp();
    const before = lstatSync(tree.path(`_base/${NAME}`), { bigint: true });
    const report = await pass();
    expect(report).toMatchObject({
      result: 'Succeeded',
      totals: { removedFiles: 0, removedBytes: 0 },
      trash: { enabled: true, totals: { files: 0, trashedFiles: 1, trashedBytes: 4096 } },
    });
    expect([outcomes(report), base()]).toEqual([['trashed'], []]);
    const [entry = ''] = trashed() ?? [];
    const after = lstatSync(join(trashPath, entry), { bigint: true });
    expect([after.ino, after.mtimeNs, after.size]).toEqual([before.ino, before.mtimeNs, before.size]);
    expect(statSync(trashPath).mode & 0o777).toBe(0o700);
  });

  it('should never be seen by Nova, neither as a base file nor in its disk usage', async () => {
    const { tree, trashed, pass } = setUp();
    await pass();
    tree.add({ [`_base/${CHECKSUM_DIRECTORY}/${cacheFileName('another')}`]: { content: 'a record' } });
    const input = JSON.stringify({ instancesPath: tree.instancesPath, instanceNames: [] });
    const nova = JSON.parse(execFileSync('/usr/bin/python3', ['test/helpers/nova-scan.py'], { input, encoding: 'utf8' })) as unknown;
    expect(trashed()).toHaveLength(1);
    expect(nova).toMatchObject({ kinds: { '.basekeeper-trash': 'foreign', [CHECKSUM_DIRECTORY]: 'foreign' }, usage: 0, backing: [] });
  });

  it('should remove it for good when its grace is over, and not before', async () => {
    const { trashed, pass, putTrashed } = setUp();
    const young = putTrashed(3500);
    putTrashed(3700);
    const report = await pass({ trash: ON }, [IMAGE]);
    expect([new Set(outcomes(report)), trashed()]).toEqual([new Set(['emptied', 'kept', 'touched']), [young]]);
    expect(report.trash?.totals).toMatchObject({ files: 2, dueFiles: 1, emptiedFiles: 1, emptiedBytes: 4096 });
  });

  it('should still be emptied after it was switched off, while removals unlink again', async () => {
    const { trashed, base, pass, putTrashed } = setUp();
    const young = putTrashed(100, cacheFileName('another'));
    putTrashed(3700);
    await pass({ trash: { enabled: false, graceSeconds: 3600 } });
    expect([base(), trashed()]).toEqual([[], [young]]);
  });

  it('should change nothing in a dry run, and print what it would', async () => {
    const { tree, trashed, base, putTrashed } = setUp();
    const entry = putTrashed(300_000);
    writeFileSync(tree.path('../workloads.yaml'), 'workloads: [{name: vm}]\n');
    const args = ['--instances-path', tree.instancesPath, '--workloads', tree.path('../workloads.yaml')];
    const { stdout } = await basekeeper(['plan', ...args]);
    expect(stdout).toMatch(/^Trash \(off: .*\): 1 file, 4\.0 KiB$/m);
    expect(stdout).toMatch(new RegExp(`^${NAME} .* empty +GraceOver$`, 'm'));
    expect([base(), trashed()]).toEqual([[NAME], [entry]]);
  });

  it('should fail rather than unlink where a symlink lies in place of the trash', async () => {
    const { tree, trashPath, base, pass } = setUp();
    mkdirSync(tree.path('../elsewhere'));
    symlinkSync(tree.path('../elsewhere'), trashPath);
    // Unless somebody says that it cannot lead to a base file, the link alone holds the pass.
    expect((await pass()).result).toBe('Held');
    const report = await pass({ trash: ON, ignore: ['_base/.basekeeper-trash'] });
    expect(report.result).toBe('Failed');
    expect(report.findings).toEqual([
      expect.objectContaining({ type: 'ScanProblem', message: expect.stringContaining('a symbolic link') }),
    ]);
    expect([base(), readdirSync(tree.path('../elsewhere'))]).toEqual([[NAME], []]);
  });

  it('should fail rather than copy where the trash is another file system', async () => {
    const { trashPath, base, pass } = setUp();
    mkdirSync(trashPath);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'basekeeper-test', trashPath]);
    try {
      const report = await pass();
      expect([...report.files][0]).toMatchObject({
        outcome: 'RemovalFailed',
        outcomeMessage: expect.stringContaining('another file system'),
      });
      expect(base()).toEqual([NAME]);
    } finally {
      execFileSync('umount', [trashPath]);
    }
  });

  it('should leave alone what it did not put there', async () => {
    const { tree, trashed, pass } = setUp();
    const strange = ['notes.txt', `${NAME}.x`, 'swap_1', '.hidden.5'];
    for (const name of strange) tree.add({ [`_base/.basekeeper-trash/${name}`]: { ageSeconds: 9 * DAY } });
    tree.add({ [`_base/.basekeeper-trash/${NAME}.5`]: { symlink: '/etc/passwd' } });
    await pass({ trash: ON }, [IMAGE]);
    expect(trashed()?.toSorted()).toEqual([...strange, `${NAME}.5`].toSorted());
  });
});

describe('a file that is needed again', () => {
  it('should come back young when a workload names its image', async () => {
    const { tree, trashed, base, pass } = setUp();
    await pass();
    expect(base()).toEqual([]);
    const report = await pass({ trash: ON }, [IMAGE]);
    expect([outcomes(report), base(), trashed()]).toEqual([['restored'], [NAME], []]);
    expect(readFileSync(tree.path(`_base/${NAME}`), 'utf8')).toBe('the image');
    expect(Date.now() - statSync(tree.path(`_base/${NAME}`)).mtimeMs).toBeLessThan(DAY * 1000);
    expect(outcomes(await pass())).toEqual(['kept']);
  });

  it('should come back when a disk uses it, so that the disk can be read again', async () => {
    const { tree, base, pass } = setUp();
    await pass();
    tree.add({ 'vm-late': { directory: true } });
    const disk = tree.path('vm-late/disk');
    qemuImg(['create', '-q', '-u', '-f', 'qcow2', '-b', tree.path(`_base/${NAME}`), '-F', 'raw', disk, '1M']);
    expect(() => qemuImg(['check', disk])).toThrow();
    await pass();
    expect(base()).toEqual([NAME]);
    qemuImg(['check', '-q', disk]);
  });

  it('should not take the place of one that Nova has fetched again', async () => {
    const { tree, trashed, pass } = setUp();
    await pass();
    tree.add({ [`_base/${NAME}`]: { content: 'fetched again' } });
    await pass({ trash: ON }, [IMAGE]);
    expect(readFileSync(tree.path(`_base/${NAME}`), 'utf8')).toBe('fetched again');
    expect(trashed()).toHaveLength(1);
  });

  it('should stay while a QEMU has it open, whatever its grace', async () => {
    const { trashPath, trashed, pass, putTrashed } = setUp();
    const entry = putTrashed(7200);
    // What it opened before the file was moved it holds through the inode, wherever that lies.
    const qemu = startProgram('stdbuf', ['-oL', 'qemu-io', '-r', '-f', 'raw', join(trashPath, entry)]);
    expect(await qemu.ask('length')).toContain('512 bytes');
    expect(outcomes(await pass({ trash: ON }, [IMAGE]))).toEqual(['touched', 'InUseByQemu']);
    await qemu.kill();
    await pass({ trash: ON }, [IMAGE]);
    expect(trashed()).toEqual([]);
  });
});

describe('the trash on a full file system', () => {
  it('should be emptied first, oldest first, and only as far as needed', async () => {
    const { tree, trashPath, trashed, base, pass, putTrashed } = setUp();
    rmSync(tree.path(`_base/${NAME}`));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m,mode=755', 'basekeeper-test', tree.basePath]);
    try {
      const [oldest, middle, newest] = [300, 200, 100].map((age) => putTrashed(age, cacheFileName(`trashed-${age}`)));
      for (const entry of [oldest, middle, newest]) writeFileSync(join(trashPath, entry ?? ''), Buffer.alloc(25 * 2 ** 20, 1));
      tree.add({ [`_base/${NAME}`]: { ageSeconds: 2 * DAY, content: Buffer.alloc(15 * 2 ** 20, 1) } });
      const report = await pass({ trash: ON, pressure: { enabled: true, highThresholdPercent: 85, lowThresholdPercent: 70 } });
      expect(report.pressure).toMatchObject({ usedPercent: 90, plannedBytes: 25 * 2 ** 20, projectedUsedPercent: 65 });
      expect(trashed()?.filter((entry) => !entry.startsWith(NAME))).toEqual(expect.arrayContaining([middle, newest]));
      // The removal itself still goes to the trash: enough is free.
      expect([base(), trashed()?.length]).toEqual([[], 3]);
      expect(trashed()).not.toContain(oldest);
    } finally {
      execFileSync('umount', [tree.basePath]);
    }
  });
});

describe('basekeeper restore', () => {
  const restore = (node: Node, ...args: string[]) => basekeeper(['restore', ...args, '--instances-path', node.tree.instancesPath]);

  const listed = async (node: Node) => (await restore(node, '--list', '-o', 'name')).stdout.match(/^\S+/gm) ?? [];

  it('should list what lies in the trash, and put a file back, young', async () => {
    const node = setUp();
    await node.pass();
    expect((await restore(node, '--list')).stdout).toMatch(new RegExp(`^${NAME}\\.\\d+  20\\d\\d-`, 'm'));
    expect(await restore(node, NAME)).toMatchObject({ code: 0, stdout: `restored ${NAME}\n`, stderr: '' });
    expect(node.base()).toEqual([NAME]);
    // A disk may be backed by it where it lay: its name there goes with a pass.
    expect([outcomes(await node.pass()), node.trashed()]).toEqual([['kept', 'restored'], []]);
    expect(await restore(node, '--list')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('is empty') });
  });

  it('should be recorded: which file, from where, and who asked', async () => {
    const node = setUp();
    const ledger = async (command: string, ...args: string[]) =>
      (await basekeeper([command, '--instances-path', node.tree.instancesPath, '--node', 'node-1', ...args])).stdout;
    await node.pass();
    const [entry = ''] = node.trashed() ?? [];
    const { inode } = JSON.parse(await ledger('history', '--limit', '1', '-o', 'json')).items[0];
    await restore(node, NAME, '--node', 'node-1');
    const { items, evidence } = JSON.parse(await ledger('history', '-o', 'json'));
    expect(items).toMatchObject([
      { action: 'trash', outcome: 'trashed' },
      { action: 'restore', name: NAME, entry, outcome: 'restored', reason: 'RestoreAsked', kind: 'original', inode, sizeBytes: 9 },
    ]);
    expect(items[1].askedBy).toBe(`command of user ${process.getuid?.()}`);
    expect(evidence.at(-1)).toMatchObject({ sources: [] });
    expect(await ledger('audit')).toContain('The ledger is whole.');
    expect(await ledger('audit')).toContain('2 passes, 1 trashed, 1 restored.');
    await node.pass();
    expect(await ledger('audit')).toContain('The ledger is whole.');
  });

  it('should be carried out where it cannot be recorded, and say so', async () => {
    const node = setUp();
    rmSync(node.tree.path(`_base/${NAME}`));
    node.putTrashed(100);
    writeFileSync(node.tree.path('locks/basekeeper-ledger'), '');
    expect(await restore(node, NAME)).toMatchObject({
      code: 0,
      stdout: `restored ${NAME}\n`,
      stderr: expect.stringMatching(/^basekeeper: the ledger: ENOTDIR: .*basekeeper-ledger/) as string,
    });
    expect(node.base()).toEqual([NAME]);
  });

  it('should put back the newest of one name, or the one that is asked for', async () => {
    const node = setUp();
    rmSync(node.tree.path(`_base/${NAME}`));
    const older = node.putTrashed(500);
    node.putTrashed(100);
    await restore(node, NAME);
    expect(await listed(node)).toEqual([older]);
    rmSync(node.tree.path(`_base/${NAME}`));
    expect((await restore(node, older)).code).toBe(0);
    expect(await listed(node)).not.toContain(older);
  });

  it('should say why it did not', async () => {
    const node = setUp();
    expect(await restore(node, NAME)).toMatchObject({ code: 1, stderr: expect.stringContaining('is not in the trash of') });
    node.putTrashed(100);
    expect(await restore(node, NAME)).toMatchObject({ code: 1, stderr: expect.stringContaining('has a file of this name again') });
    expect(node.trashed()).toHaveLength(1);
    expect(await restore(node)).toMatchObject({ code: 2, stderr: expect.stringContaining('--list') });
    expect(await restore(node, NAME, '--list')).toMatchObject({ code: 2 });
    rmSync(node.trashPath, { recursive: true });
    writeFileSync(node.trashPath, '');
    expect(await restore(node, NAME)).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOTDIR') });
  });

  it('should wait for Nova’s lock no longer than lockTimeoutSeconds', async () => {
    const node = setUp();
    rmSync(node.tree.path(`_base/${NAME}`));
    node.putTrashed(100);
    const holder = startLockHolder();
    await holder.ask(`lockf ${node.tree.path(`locks/nova-${NAME}`)}`);
    const config = node.tree.path('../config.yaml');
    writeFileSync(config, 'lockTimeoutSeconds: 1\n');
    expect(await restore(node, NAME, '--config', config)).toMatchObject({ code: 1, stderr: expect.stringContaining('LockBusy') });
    expect(node.base()).toEqual([]);
  });
});
