import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runPass } from '../../src/pass/pass.ts';
import { cacheFileName } from '../../src/model/names.ts';
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
  const tree = emptyNode();
  const [below, above] = ['below', 'above'].map((image) => `_base/${cacheFileName(image)}`) as [string, string];
  for (const path of [below, above]) addOldImage(tree, path);
  const workloadsPath = tree.path('../going.yaml');
  writeFileSync(workloadsPath, 'workloads: [{name: vm-1, imageRef: other}]\n');
  const config = configOf({ instancesPath: tree.instancesPath, workloadsPath });
  const parts = passParts(config, [createFileSource({ path: workloadsPath, clock: systemClock })]);
  const report = await runPass(parts, {
    dryRun: false,
    onStage: (stage) => {
      if (stage !== 'execute') return;
      const { atimeMs, mtimeMs } = statSync(tree.path(above));
      qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(below), '-F', 'raw', tree.path('../image')]);
      writeFileSync(tree.path(above), readFileSync(tree.path('../image')));
      // Whoever did it has also hidden it.
      utimesSync(tree.path(above), atimeMs / 1000, mtimeMs / 1000);
      qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(above), '-F', 'qcow2', tree.path('vm-1/disk')]);
    },
  });
  expect([...report.files].map(({ verdict, outcome }) => `${verdict} ${outcome}`)).toEqual(Array(2).fill('remove ChangedSincePlan'));
  expect(qemuChain(tree.path('vm-1/disk'))).toHaveLength(3);
});
