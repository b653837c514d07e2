import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ensureOwnedDirectory } from '../../../src/disk/owned-directory.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { prepareDirectories } from '../../../src/wire/commands.ts';
import { makeTree, startProgram } from '../../helpers/execute-tree.ts';

/** Nova's user in Kolla's and OpenStack-Helm's images. Giving files away needs root, as CI and the test set-up have it. */
const NOVA = 42436;
const CHILD = fileURLToPath(new URL('../../helpers/registry-child.ts', import.meta.url));
const run = promisify(execFile);

/** Tries without end, as a user without any right. */
const PLANT = `
import os, sys
os.setgroups([]); os.setgid(65533); os.setuid(65533)
print('ready', flush=True)
while True:
    for path in sys.argv[1:]:
        try: os.close(os.open(path + '/planted', os.O_CREAT | os.O_WRONLY, 0o666))
        except OSError: pass
`;

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

  it('should be left as they are when they are there, no matter who owns them', () => {
    const { instancesPath, basePath } = makeTree();
    chownSync(instancesPath, NOVA, NOVA);
    writeFileSync(join(basePath, 'file'), '');
    expect(prepare(instancesPath).map(({ made }) => made)).toEqual([false, false]);
    expect(statSync(basePath).uid).not.toBe(NOVA);
  });

  it('should not be made where there is no instances path: it is not mounted', () => {
    const { instancesPath, basePath } = makeTree({ locks: false });
    rmSync(instancesPath, { recursive: true });
    expect(() => prepare(instancesPath)).toThrow(`ENOENT: cannot make '${basePath}': the directory above it does not exist`);
    expect(existsSync(instancesPath)).toBe(false);
  });

  it('should be refused when something else has their name', () => {
    const { instancesPath, locksPath } = makeTree({ locks: false });
    mkdirSync(join(instancesPath, 'elsewhere'));
    symlinkSync(join(instancesPath, 'elsewhere'), locksPath);
    expect(() => ensureOwnedDirectory(locksPath)).toThrow(/ELOOP|ENOTDIR/);
  });

  it('should never be open to a user of the node who tries to put a file into them while they are made', async () => {
    const { instancesPath, basePath, locksPath } = makeTree({ locks: false });
    chownSync(instancesPath, NOVA, NOVA);
    chmodSync(instancesPath, 0o755);
    const planter = startProgram('python3', ['-c', PLANT, basePath, locksPath]);
    await planter.answer();
    for (let count = 0; count < 150; count++) {
      rmSync(basePath, { recursive: true, force: true });
      rmSync(locksPath, { recursive: true, force: true });
      expect([basePath, locksPath].map((path) => ensureOwnedDirectory(path))).toEqual([true, true]);
      expect(readdirSync(basePath)).toEqual([]);
      expect(readdirSync(locksPath)).toEqual([]);
    }
    await planter.kill();
    expect(readdirSync(instancesPath).toSorted()).toEqual(['_base', 'locks']);
  });

  it('should keep what Nova has made at the same moment, files and all', () => {
    const { locksPath, instancesPath } = makeTree();
    chownSync(instancesPath, NOVA, NOVA);
    writeFileSync(join(locksPath, 'nova-base'), '');
    chmodSync(locksPath, 0o700);
    expect(ensureOwnedDirectory(locksPath)).toBe(false);
    expect(readdirSync(locksPath)).toEqual(['nova-base']);
  });

  it.each(['mkdir:when=1', 'fchmod:when=1', 'fchown:when=1', 'rename:when=1'])(
    'should be finished by the next agent when somebody dies at the call %s',
    async (call) => {
      const { instancesPath, locksPath } = makeTree({ locks: false });
      chownSync(instancesPath, NOVA, NOVA);
      const inject = `--inject=${call.replace(':', ':signal=KILL:')}`;
      const trace = ['-f', '-o', '/dev/null', inject, process.execPath, CHILD, instancesPath, 'host-a', '1'];
      await expect(run('strace', trace)).rejects.toThrow(/Command failed/);
      ensureOwnedDirectory(locksPath);
      const { uid, mode } = statSync(locksPath);
      expect({ uid, mode: mode & 0o7777 }).toEqual({ uid: NOVA, mode: 0o755 });
      expect(readdirSync(instancesPath).filter((name) => name.startsWith('.'))).toEqual([]);
    },
  );
});
