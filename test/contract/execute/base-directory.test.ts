import { closeSync, linkSync, mkdirSync, openSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBaseDirectoryOpener } from '../../../src/disk/base-directory.ts';
import type { BaseDirectory, BaseDirectoryOpener, TrashDirectory } from '../../../src/model/ports.ts';
import { makeTree, putFile } from '../../helpers/execute-tree.ts';
import { MemoryBaseDirectory } from '../../helpers/memory-execute.ts';

const MODIFIED_MS = Date.UTC(2026, 10, 20, 12, 0, 0);
const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);

interface Subject {
  readonly opener: BaseDirectoryOpener;
  readonly path: string;
  /** Creates a file, or puts another file in its place. */
  readonly put: (name: string, modifiedAtMs: number) => void;
  readonly putDirectory: (name: string) => void;
  readonly setModified: (name: string, modifiedAtMs: number) => void;
  readonly link: (name: string, as: string) => void;
  readonly remove: (name: string) => void;
  readonly exists: (name: string) => boolean;
  /** A QEMU opens the image; the answer closes it again. */
  readonly openInQemu: (name: string) => () => void;
}

function onDisk(): Subject {
  const { instancesPath, basePath } = makeTree();
  const at = (name: string) => join(basePath, name);
  return {
    opener: createBaseDirectoryOpener(),
    path: basePath,
    put(name, modifiedAtMs) {
      const fresh = join(instancesPath, 'fresh');
      putFile(fresh, modifiedAtMs);
      renameSync(fresh, at(name));
    },
    putDirectory: (name) => mkdirSync(at(name)),
    setModified: (name, ms) => utimesSync(at(name), ms / 1000, ms / 1000),
    link: (name, as) => linkSync(at(name), at(as)),
    remove: (name) => rmSync(at(name)),
    exists: (name) => statSync(at(name), { throwIfNoEntry: false }) !== undefined,
    openInQemu(name) {
      // What QEMU does, by its bytes; the integration tests have the real one.
      const fd = openSync(at(name), 'r');
      tryLock(fd, 100, 1, { shared: true });
      return () => closeSync(fd);
    },
  };
}

function inMemory(): Subject {
  const directory = new MemoryBaseDirectory('/instances/_base');
  return {
    opener: directory,
    path: directory.path,
    put: (name, ms) => void directory.put(name, ms),
    putDirectory: (name) => void directory.put(name, MODIFIED_MS, false),
    setModified: (name, ms) => directory.setModified(name, ms),
    link: (name, as) => directory.link(name, as),
    remove: (name) => directory.remove(name),
    exists: (name) => directory.names.includes(name),
    openInQemu(name) {
      directory.openInQemu.add(name);
      return () => directory.openInQemu.delete(name);
    },
  };
}

function openTrash(directory: BaseDirectory): TrashDirectory {
  const trash = directory.openTrash({ create: true });
  if (trash === undefined) throw new Error('there should be a trash');
  onTestFinished(() => trash.close());
  return trash;
}

function mustNotRun(): never {
  throw new Error('this should not run');
}

describe.each(Object.entries({ 'the twin in memory': inMemory, 'a directory on disk': onDisk }))('BaseDirectory: %s', (_, setUp) => {
  const open = () => {
    const subject = setUp();
    return { ...subject, directory: subject.opener.open(subject.path) };
  };
  const openWithBase = () => {
    const subject = open();
    subject.put('base', MODIFIED_MS);
    const identity = subject.directory.stat('base');
    if (identity === undefined) throw new Error('the file should exist');
    return { ...subject, identity };
  };

  it('should tell a regular file by its device, inode and mtime', () => {
    const { directory, identity } = openWithBase();
    expect(identity).toMatchObject({ regular: true, modifiedAtMs: MODIFIED_MS, modifiedAtNs: `${MODIFIED_MS}000000` });
    expect(directory.stat('base')).toEqual(identity);
  });

  it('should answer undefined for an entry that does not exist', () => {
    const { directory } = open();
    expect(directory.stat('base')).toBeUndefined();
  });

  it('should tell another file by its inode', () => {
    const { directory, identity, put } = openWithBase();
    put('other', MODIFIED_MS);
    expect(directory.stat('other')?.inode).not.toBe(identity.inode);
  });

  it('should say how many names a file has', () => {
    const { directory, link } = openWithBase();
    expect(directory.stat('base')?.links).toBe(1);
    link('base', 'other');
    expect([directory.stat('base')?.links, directory.stat('other')?.links]).toEqual([2, 2]);
    directory.unlink('base');
    expect(directory.stat('other')?.links).toBe(1);
  });

  it('should not call a directory regular', () => {
    const { directory, putDirectory } = open();
    putDirectory('base');
    expect(directory.stat('base')?.regular).toBe(false);
  });

  it('should set the mtime to the time given', () => {
    const { directory } = openWithBase();
    directory.touch('base', NOW_MS);
    expect(directory.stat('base')?.modifiedAtMs).toBe(NOW_MS);
  });

  it('should throw ENOENT for touching or unlinking what does not exist', () => {
    const { directory } = open();
    expect(() => directory.touch('base', NOW_MS)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => directory.unlink('base')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('should unlink one file and no other', () => {
    const { directory, put, exists } = openWithBase();
    put('neighbour', MODIFIED_MS);
    directory.unlink('base');
    expect([exists('base'), exists('neighbour')]).toEqual([false, true]);
  });

  it('should run what is to be done while it holds the image lock', () => {
    const { directory, identity, exists } = openWithBase();
    expect(directory.withImageLock('base', identity, () => directory.unlink('base'))).toBe('done');
    expect(exists('base')).toBe(false);
  });

  it('should report an image that a QEMU has open as busy, until it is closed', () => {
    const { directory, identity, openInQemu } = openWithBase();
    const closeIt = openInQemu('base');
    expect(directory.withImageLock('base', identity, mustNotRun)).toBe('busy');
    closeIt();
    expect(directory.withImageLock('base', identity, () => undefined)).toBe('done');
  });

  it('should hold the image lock while it runs what is to be done, and no longer', () => {
    const { directory, identity } = openWithBase();
    let within: unknown;
    directory.withImageLock('base', identity, () => {
      within = directory.withImageLock('base', identity, mustNotRun);
    });
    expect(within).toBe('busy');
    expect(directory.withImageLock('base', identity, () => undefined)).toBe('done');
  });

  it('should free the image lock when what is to be done throws', () => {
    const { directory, identity } = openWithBase();
    expect(() => directory.withImageLock('base', identity, mustNotRun)).toThrow('this should not run');
    expect(directory.withImageLock('base', identity, () => undefined)).toBe('done');
  });

  it('should run nothing on another file of the same name', () => {
    const { directory, identity, put } = openWithBase();
    put('base', MODIFIED_MS);
    expect(directory.withImageLock('base', identity, mustNotRun)).toBe('changed');
  });

  it('should run nothing on a file that was modified', () => {
    const { directory, identity, setModified } = openWithBase();
    setModified('base', NOW_MS);
    expect(directory.withImageLock('base', identity, mustNotRun)).toBe('changed');
  });

  it('should run nothing on a file that is gone', () => {
    const { directory, identity, remove } = openWithBase();
    remove('base');
    expect(directory.withImageLock('base', identity, mustNotRun)).toBe('gone');
  });

  it('should run nothing on a directory', () => {
    const { directory, identity, remove, putDirectory } = openWithBase();
    remove('base');
    putDirectory('base');
    expect(directory.withImageLock('base', identity, mustNotRun)).toBe('changed');
  });

  it.each(['', '.', '..', 'a/b', '../base', 'a\0b'])('should refuse %j, which is not a file name, for every operation', (name) => {
    const { directory, identity } = openWithBase();
    const refused = expect.objectContaining({ code: 'EINVAL' });
    expect(() => directory.stat(name)).toThrow(refused);
    expect(() => directory.touch(name, NOW_MS)).toThrow(refused);
    expect(() => directory.withImageLock(name, identity, mustNotRun)).toThrow(refused);
    expect(() => directory.unlink(name)).toThrow(refused);
  });

  it('should throw ENOENT for a directory that does not exist', () => {
    const { opener, path } = setUp();
    expect(() => opener.open(`${path}-elsewhere`)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('should have no trash until somebody needs one', () => {
    const { directory } = open();
    expect(directory.openTrash({ create: false })).toBeUndefined();
    expect(directory.openTrash({ create: true })?.list()).toEqual([]);
    expect(directory.openTrash({ create: false })?.list()).toEqual([]);
  });

  it('should move a file to the trash as it is, and give it back as it is, with its name there left', () => {
    const { directory, identity } = openWithBase();
    const trash = openTrash(directory);
    trash.take('base', 'base.1');
    expect([directory.stat('base'), trash.stat('base.1'), trash.list()]).toEqual([undefined, identity, ['base.1']]);
    expect(trash.giveBack('base.1', 'base')).toBe('done');
    const twice = { ...identity, links: 2 };
    expect([directory.stat('base'), trash.stat('base.1'), trash.list()]).toEqual([twice, twice, ['base.1']]);
  });

  it('should never give a file back in the place of another', () => {
    const { directory, identity, put } = openWithBase();
    const trash = openTrash(directory);
    trash.take('base', 'base.1');
    put('base', NOW_MS);
    expect(trash.giveBack('base.1', 'base')).toBe('exists');
    expect([directory.stat('base')?.modifiedAtMs, trash.stat('base.1')]).toEqual([NOW_MS, identity]);
  });

  it('should never move a file to the trash in the place of another', () => {
    const { directory, put } = openWithBase();
    const trash = openTrash(directory);
    trash.take('base', 'base.1');
    put('base', NOW_MS);
    expect(() => trash.take('base', 'base.1')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(directory.stat('base')?.modifiedAtMs).toBe(NOW_MS);
    expect(trash.stat('base.1')?.modifiedAtMs).toBe(MODIFIED_MS);
  });

  it('should touch and unlink in the trash, and lock images there', () => {
    const { directory, identity } = openWithBase();
    const trash = openTrash(directory);
    trash.take('base', 'base.1');
    expect(trash.withImageLock('base.1', identity, () => trash.touch('base.1', NOW_MS))).toBe('done');
    expect(trash.withImageLock('base.1', identity, mustNotRun)).toBe('changed');
    expect(trash.stat('base.1')?.modifiedAtMs).toBe(NOW_MS);
    trash.unlink('base.1');
    expect(trash.list()).toEqual([]);
  });

  it.each(['', '..', 'a/b'])('should refuse %j, which is not a file name, on both sides of the trash', (name) => {
    const { directory } = openWithBase();
    const trash = openTrash(directory);
    const refused = expect.objectContaining({ code: 'EINVAL' });
    expect(() => trash.take(name, 'base.1')).toThrow(refused);
    expect(() => trash.take('base', name)).toThrow(refused);
    trash.take('base', 'base.1');
    expect(() => trash.giveBack('base.1', name)).toThrow(refused);
    expect(() => trash.giveBack(name, 'base')).toThrow(expect.objectContaining({ code: expect.stringMatching(/EINVAL|ENOENT/) }));
  });

  it('should do nothing any more once it is closed, and may be closed twice', () => {
    const { directory } = openWithBase();
    directory.close();
    directory.close();
    expect(() => directory.stat('base')).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });
});
