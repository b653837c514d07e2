import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { basekeeper } from '../helpers/basekeeper.ts';
import { qemuImg } from '../helpers/qemu-img.ts';
import { intendedNames, readLedger } from '../helpers/read-ledger.ts';
import { failOneSystemCall, wholePass } from './kills.ts';
import { ledgerOrderOf } from './ledger-order.ts';
import { buildWorld, damages, leftOver, refill, type World } from './world.ts';

/** With its ledger in `directory`, as a host of this name. */
function recordIn(world: World, directory: string, host: string): void {
  const sharedStorage = { hostName: host };
  writeFileSync(world.configPath, JSON.stringify({ maxRemovalsPerPass: 0, sharedStorage, ledger: { directory } }));
}

function emptyDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'basekeeper-ledger-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

it('the disk should have each record before its file goes', () => {
  using world = buildWorld({ unused: 150 });
  const { gone, early, waits } = ledgerOrderOf(world);
  expect(gone.toSorted()).toEqual(world.unused.toSorted());
  expect(early).toEqual([]);
  expect(waits).toBeGreaterThan(2);
});

it('a ledger on another file system than the base files should have each removal, and be whole', async () => {
  using world = buildWorld();
  const path = emptyDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'basekeeper-test', path]);
  onTestFinished(() => void execFileSync('umount', [path]));
  expect(statSync(path).dev).not.toBe(statSync(world.tree.basePath).dev);
  recordIn(world, join(path, 'ledger'), 'one');
  await wholePass(world);
  expect(leftOver(world)).toEqual([]);
  const { records, problems } = readLedger(join(path, 'ledger/one'));
  expect([problems, intendedNames(records).toSorted()]).toEqual([[], world.unused.toSorted()]);
  expect(records.at(-1)).toMatchObject({ type: 'end', outcomes: { removed: world.unused.length } });
  const audit = await basekeeper(['audit', '--config', world.configPath, '--instances-path', world.tree.instancesPath]);
  expect(audit).toMatchObject({ code: 0, stdout: expect.stringContaining('The ledger is whole.') as string });
});

it('two processes that append at the same time should leave one whole chain with all that both removed', async () => {
  const path = emptyDirectory();
  using left = buildWorld({ unused: 400 });
  using right = buildWorld({ unused: 400 });
  for (const world of [left, right]) recordIn(world, join(path, 'ledger'), 'one');
  let interleaved = false;
  for (let round = 0; round < 8 && !interleaved; round += 1) {
    for (const world of [left, right]) refill(world);
    await Promise.all([wholePass(left), wholePass(right)]);
    expect([...leftOver(left), ...leftOver(right)]).toEqual([]);
    const { records, problems } = readLedger(join(path, 'ledger/one'));
    expect(problems).toEqual([]);
    const passes = records.filter(({ type }) => type === 'pass' || type === 'end').slice(-4);
    expect(passes.map(({ type }) => type).toSorted()).toEqual(['end', 'end', 'pass', 'pass']);
    const since = records.filter(({ seq }) => seq >= (passes[0]?.seq ?? 0));
    expect(intendedNames(since).toSorted()).toEqual([...left.unused, ...right.unused].toSorted());
    interleaved = passes[1]?.type === 'pass';
  }
  expect(interleaved).toBe(true);
  const audit = await basekeeper(['audit', '--ledger', join(path, 'ledger/one')]);
  expect(audit).toMatchObject({ code: 0, stdout: expect.stringContaining('The ledger is whole.') as string });
});

it.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('a record that finds no room (%s) should take that of the reserve', async (errno) => {
  using world = buildWorld({ unused: 3 });
  await wholePass(world);
  refill(world);
  await failOneSystemCall(world, 'pwrite64', errno, 1);
  expect(leftOver(world)).toEqual([]);
  expect(damages(world)).toEqual([]);
});

it.each(['locks/basekeeper-ledger', 'locks/basekeeper-ledger/node-a', 'locks/basekeeper-ledger/deep/er'])(
  'a disk in %s should keep the file that it stands on, though the directory is ours alone',
  async (directory) => {
    using world = buildWorld({ unused: 2 });
    const [backing = ''] = world.unused;
    mkdirSync(world.tree.path(directory), { recursive: true, mode: 0o700 });
    const base = world.tree.path(`_base/${backing}`);
    qemuImg(['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', world.tree.path(`${directory}/disk`), '1M']);
    await wholePass(world);
    expect(leftOver(world)).toEqual([backing]);
    refill(world);
    await wholePass(world);
    expect(leftOver(world)).toEqual([backing]);
  },
);
