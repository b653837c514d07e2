import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { makeTree, startProgram } from '../../helpers/execute-tree.ts';

/** Nova's user in Kolla's and OpenStack-Helm's images. Giving files away needs root, as CI and the test set-up have it. */
const NOVA = 42436;
const CHILD = fileURLToPath(new URL('../../helpers/registry-child.ts', import.meta.url));
const run = promisify(execFile);

/** Tries without end, as a user without any right, to write into whatever lies in the directory. */
const WRITE = `
import os, sys
os.setgroups([]); os.setgid(65533); os.setuid(65533)
print('ready', flush=True)
while True:
    for name in os.listdir(sys.argv[1]) + ['nova-base']:
        try:
            fd = os.open(sys.argv[1] + '/' + name, os.O_WRONLY)
            os.write(fd, b'mine'); os.close(fd)
        except OSError: pass
`;

function setUp() {
  const tree = makeTree();
  chmodSync(tree.instancesPath, 0o755);
  chmodSync(tree.locksPath, 0o755);
  for (const path of [tree.instancesPath, tree.locksPath]) chownSync(path, NOVA, NOVA);
  return tree;
}

describe('a lock file that Nova has not made yet', () => {
  it('should never be open to a user of the node who tries to write into it while it is made', async () => {
    const { locksPath } = setUp();
    const locker = createFileLocker({ locksPath });
    const writer = startProgram('python3', ['-c', WRITE, locksPath]);
    await writer.answer();
    for (let count = 0; count < 400; count++) {
      // One that has bytes in it would stay.
      (await locker.acquire('base', { timeoutSeconds: 10 }))?.release({ remove: true });
      expect(readdirSync(locksPath)).toEqual([]);
    }
    await writer.kill();
  });

  it.each(['fchmod:when=1', 'fchown:when=1', 'link,linkat:when=1', 'unlink,unlinkat:when=1'])(
    'should be Nova’s or not there, and leave nothing for long, when somebody dies at the call %s',
    async (call) => {
      const { instancesPath, locksPath } = setUp();
      const lockFile = join(locksPath, 'nova-storage-registry-lock');
      const trace = ['-f', '-o', '/dev/null', `--inject=${call.replace(':', ':signal=KILL:')}`, process.execPath, CHILD, instancesPath];
      await expect(run('strace', [...trace, 'host-a', '1'])).rejects.toThrow(/Command failed/);
      expect(readdirSync(locksPath).filter((name) => name.startsWith('.basekeeper-lock-')).length).toBe(1);
      if (existsSync(lockFile))
        expect({ uid: statSync(lockFile).uid, mode: statSync(lockFile).mode & 0o777 }).toEqual({ uid: NOVA, mode: 0o644 });
      await createFileLocker({ locksPath }).acquire('base', { timeoutSeconds: 0 });
      expect(readdirSync(locksPath).filter((name) => name.startsWith('.basekeeper-lock-'))).toEqual([]);
    },
  );
});
