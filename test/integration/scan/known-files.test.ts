import { linkSync, renameSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createOverlayScanner } from '../../../src/overlays/overlay-scanner.ts';
import { buildTree } from '../../helpers/tree.ts';

const [SHA1, OTHER] = ['a'.repeat(40), 'b'.repeat(40)] as const;
const onBase = { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } } as const;

function setUp() {
  const tree = buildTree({
    [`_base/${SHA1}`]: {},
    [`_base/${OTHER}`]: {},
    'locks/nova-a': {},
    'locks/nova-b': {},
    'locks/nova-bytes': { content: 'x' },
    'locks/nova-link': { symlink: 'nova-a' },
    'aside/disk': onBase,
  });
  onTestFinished(tree.cleanup);
  const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
  const scan = (known: Omit<Parameters<typeof scanner.scan>[0], 'instanceNames'> = {}) =>
    scanner.scan({ instanceNames: new Set(), ...known });
  return { tree, scan, path: (name: string) => tree.path(name) };
}

it('a scan should say which lock files are empty regular files', async () => {
  const { scan } = setUp();
  expect([...((await scan()).emptyLocks?.names ?? [])].toSorted()).toEqual(['nova-a', 'nova-b']);
});

it('a disk should be found in the lock directory under a name that was not there, that had bytes, or that is a link by now', async () => {
  const { scan, path } = setUp();
  const { emptyLocks } = await scan();
  renameSync(path('aside/disk'), path('locks/nova-new'));
  unlinkSync(path('locks/nova-bytes'));
  linkSync(path('locks/nova-new'), path('locks/nova-bytes'));
  unlinkSync(path('locks/nova-a'));
  symlinkSync(`../_base/${SHA1}`, path('locks/nova-a'));
  const found = (await scan({ emptyLocks })).overlays.map((overlay) => overlay.path);
  expect(found.toSorted()).toEqual(['locks/nova-a', 'locks/nova-bytes', 'locks/nova-link', 'locks/nova-new']);
});

it('a lock directory that is as it was, with nothing but empty files in it, should be taken as it was', async () => {
  const { tree, scan, path } = setUp();
  for (const name of ['nova-bytes', 'nova-link']) unlinkSync(path(`locks/${name}`));
  const stats = () => statSync(tree.path('locks'), { bigint: true });
  expect((await scan()).emptyLocks?.isUnchanged(stats())).toBe(false);
  // Only once no other change could leave the same ctime.
  await sleep(100);
  const { emptyLocks } = await scan();
  expect(emptyLocks?.isUnchanged(stats())).toBe(true);
  renameSync(path('aside/disk'), path('locks/nova-new'));
  expect(emptyLocks?.isUnchanged(stats())).toBe(false);
  expect((await scan({ emptyLocks })).overlays.map((overlay) => overlay.path)).toEqual(['locks/nova-new']);
  await sleep(100);
  expect((await scan()).emptyLocks?.isUnchanged(stats())).toBe(false);
});

it('a lock file that was seen to be empty should not be looked at again, and every one where nobody says so', async () => {
  const { scan, path } = setUp();
  const { emptyLocks } = await scan();
  renameSync(path('aside/disk'), path('locks/nova-b'));
  expect((await scan({ emptyLocks })).overlays).toEqual([]);
  expect((await scan()).overlays.map((overlay) => overlay.path)).toEqual(['locks/nova-b']);
});

it('a file whose name is not UTF-8 should not pass for one whose name looks the same', async () => {
  const { scan, path } = setUp();
  const bytes = Buffer.concat([Buffer.from(`${path('_base')}/x`), Buffer.from([0xff])]);
  writeFileSync(path('_base/x\ufffd'), '');
  renameSync(path('aside/disk'), bytes);
  // A directory that changed a moment ago is read twice, and then everything in it is looked at.
  await sleep(100);
  expect((await scan({ knownRaw: new Set(['x\ufffd']) })).baseImages.map(({ name }) => name)).toEqual(['x\udcff']);
});
