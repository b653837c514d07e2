import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runPass } from '../../src/pass/pass.ts';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { TRASH_DIRECTORY } from '../../src/model/trash-names.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createFileSource } from '../../src/sources/file/source.ts';
import { passParts } from '../../src/wire/pass.ts';
import { configOf } from '../faults/config.ts';
import { qemuChain, qemuImg } from '../helpers/qemu-img.ts';
import { addOldImage, emptyNode } from '../helpers/real-images.ts';

it('a base file that was known to be raw should be looked at again before the file that it is now backed by would go', async () => {
  const tree = emptyNode();
  const [unused, used] = ['unused', 'used'].map((image) => `_base/${cacheFileName(image)}`) as [string, string];
  for (const path of [unused, used]) addOldImage(tree, path);
  const workloadsPath = tree.path('../known.yaml');
  writeFileSync(workloadsPath, 'workloads: [{name: vm-1, imageRef: used}]\n');
  const config = configOf({ instancesPath: tree.instancesPath, workloadsPath });
  const parts = passParts(config, [createFileSource({ path: workloadsPath, clock: systemClock })]);
  // A header is kept only once its file has rested.
  await sleep(100);
  await runPass(parts, { dryRun: true });
  expect((await parts.scanner.scan()).knownRaw?.has(cacheFileName('used'))).toBe(true);
  qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(unused), '-F', 'raw', tree.path('../q')]);
  const image = readFileSync(tree.path('../q'));
  // Written over the same file, of the same size.
  const sameSize = Buffer.concat([image, Buffer.alloc(statSync(tree.path(used)).size - image.length)]);
  const swapped = await runPass(parts, {
    dryRun: false,
    onStage: (stage) => {
      if (stage === 'execute') writeFileSync(tree.path(used), sameSize);
    },
  });
  expect([...swapped.files].find(({ name }) => name === cacheFileName('unused'))).toMatchObject({
    outcome: 'ChangedSincePlan',
    outcomeMessage: expect.stringContaining(cacheFileName('used')),
  });
  expect(existsSync(tree.path(unused))).toBe(true);
  expect(qemuChain(tree.path(used))).toHaveLength(2);
  // The next pass sees it from the start, and so does each pass after one that has read it.
  await sleep(100);
  await runPass(parts, { dryRun: true });
  expect((await parts.scanner.scan()).knownRaw?.has(cacheFileName('used'))).toBe(false);
  const next = await runPass(parts, { dryRun: false });
  expect([...next.files].find(({ name }) => name === cacheFileName('unused'))).toMatchObject({ reason: 'BackingFileOfBaseFile' });
});

it('base files that are going, one of which became an image on the other and got a disk, should both stay', async () => {
  const { tree, parts } = nodeWith({});
  const [below, above] = ['below', 'above'].map((image) => `_base/${cacheFileName(image)}`) as [string, string];
  for (const path of [below, above]) addOldImage(tree, path);
  const report = await runPass(parts, { dryRun: false, onStage: (stage) => void (stage === 'execute' && becomeImage(tree, above, below)) });
  expect([...report.files].map(({ verdict, outcome }) => `${verdict} ${outcome}`)).toEqual(Array(2).fill('remove ChangedSincePlan'));
  expect(qemuChain(tree.path('vm-1/disk'))).toHaveLength(3);
});

it('a base file that waits for a later pass, and became an image on one that is going and got a disk, should keep both', async () => {
  const { tree, parts } = nodeWith({ maxRemovalsPerPass: 1 });
  const [below, above] = ['below', 'above'].map((image) => `_base/${cacheFileName(image)}`) as [string, string];
  for (const [path, days] of [
    [below, 4],
    [above, 2],
  ] as const) {
    addOldImage(tree, path);
    const seconds = Date.now() / 1000 - days * 86_400;
    utimesSync(tree.path(path), seconds, seconds);
  }
  const report = await runPass(parts, { dryRun: false, onStage: (stage) => void (stage === 'execute' && becomeImage(tree, above, below)) });
  expect(Object.fromEntries([...report.files].map(({ name, reason, outcome }) => [`_base/${name}`, `${reason} ${outcome}`]))).toEqual({
    [above]: 'RemovalLimitReached kept',
    [below]: 'Unused ChangedSincePlan',
  });
  expect(qemuChain(tree.path('vm-1/disk'))).toHaveLength(3);
});

it.each(['there', 'as a base file'])(
  'a file in the trash that became an image on one that is going, and that a disk names %s, should keep it',
  async (named) => {
    const { tree, parts } = nodeWith({ trash: { enabled: true } });
    const gone = `_base/${cacheFileName('gone')}`;
    addOldImage(tree, gone);
    await runPass(parts, { dryRun: false });
    const [entry = ''] = readdirSync(tree.path(`_base/${TRASH_DIRECTORY}`));
    const below = `_base/${cacheFileName('below')}`;
    addOldImage(tree, below);
    const above = `_base/${TRASH_DIRECTORY}/${entry}`;
    const report = await runPass(parts, {
      dryRun: false,
      onStage: (stage) => {
        if (stage !== 'execute') return;
        becomeImage(tree, above, below);
        if (named === 'as a base file')
          qemuImg(['rebase', '-u', '-f', 'qcow2', '-b', tree.path(gone), '-F', 'qcow2', tree.path('vm-1/disk')]);
      },
    });
    expect([...report.files].map(({ outcome }) => outcome)).toEqual(['ChangedSincePlan']);
    // It comes back by the name that the disk has for it.
    if (named === 'as a base file') await runPass(parts, { dryRun: false });
    expect(qemuChain(tree.path('vm-1/disk'))).toHaveLength(3);
  },
);

function nodeWith(settings: SettingsInput) {
  const tree = emptyNode();
  const workloadsPath = tree.path('../node.yaml');
  writeFileSync(workloadsPath, 'workloads: [{name: vm-1, imageRef: other}]\n');
  const config = configOf({ instancesPath: tree.instancesPath, workloadsPath }, settings);
  return { tree, parts: passParts(config, [createFileSource({ path: workloadsPath, clock: systemClock })]) };
}

/** Written over the file, which keeps its times, and named by a disk. */
function becomeImage(tree: ReturnType<typeof emptyNode>, above: string, below: string): void {
  const { atimeMs, mtimeMs } = statSync(tree.path(above));
  qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(below), '-F', 'raw', tree.path('../image')]);
  writeFileSync(tree.path(above), readFileSync(tree.path('../image')));
  utimesSync(tree.path(above), atimeMs / 1000, mtimeMs / 1000);
  qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(above), '-F', 'qcow2', tree.path('vm-1/disk')]);
}
