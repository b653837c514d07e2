import { chownSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureOwnedDirectory } from '../../../src/disk/owned-directory.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { prepareDirectories } from '../../../src/wire/commands.ts';
import { makeTree } from '../../helpers/execute-tree.ts';

/** Nova's user in Kolla's and OpenStack-Helm's images. Giving files away needs root, as CI and the test set-up have it. */
const NOVA = 42436;

function prepare(instancesPath: string) {
  const { config, errors } = loadConfig({ env: { NODE_NAME: 'node' }, overrides: [{ origin: 'test', values: { instancesPath } }] });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  return prepareDirectories(config);
}

describe('directories that Nova has not made yet', () => {
  it('should be made for the owner of the instances path, so that Nova can write to them', () => {
    const { instancesPath, basePath, locksPath } = makeTree({ locks: false });
    rmSync(basePath, { recursive: true });
    chownSync(instancesPath, NOVA, NOVA + 1);
    expect(prepare(instancesPath)).toEqual([
      { path: basePath, made: true },
      { path: locksPath, made: true },
    ]);
    for (const path of [basePath, locksPath]) {
      const { uid, gid, mode } = statSync(path);
      expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: NOVA, gid: NOVA + 1, mode: 0o755 });
    }
  });

  it('should be left as they are when they are there, whoever owns them', () => {
    const { instancesPath, basePath } = makeTree();
    chownSync(instancesPath, NOVA, NOVA);
    writeFileSync(join(basePath, 'file'), '');
    expect(prepare(instancesPath).map(({ made }) => made)).toEqual([false, false]);
    expect(statSync(basePath).uid).not.toBe(NOVA);
  });

  it('should not be made where there is no instances path: it is not mounted', () => {
    const { instancesPath, basePath } = makeTree({ locks: false });
    rmSync(instancesPath, { recursive: true });
    expect(() => prepare(instancesPath)).toThrow(`ENOENT: no such file or directory, mkdir '${basePath}'`);
    expect(existsSync(instancesPath)).toBe(false);
  });

  it('should be refused when something else has their name', () => {
    const { instancesPath, locksPath } = makeTree({ locks: false });
    mkdirSync(join(instancesPath, 'elsewhere'));
    symlinkSync(join(instancesPath, 'elsewhere'), locksPath);
    expect(() => ensureOwnedDirectory(locksPath)).toThrow(/ELOOP|ENOTDIR/);
  });
});
