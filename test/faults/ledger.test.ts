import { mkdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { qemuImg } from '../helpers/qemu-img.ts';
import { failOneSystemCall, wholePass } from './kills.ts';
import { buildWorld, damages, leftOver, refill } from './world.ts';

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
