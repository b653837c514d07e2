import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BUNDLE, start } from '../../helpers/basekeeper.ts';
import { qemuImg } from '../../helpers/qemu-img.ts';
import { buildTree, DAY, type Tree } from '../../helpers/tree.ts';

const BASE = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const VM = '11111111-0000-0000-0000-000000000001';

let tree: Tree;

/** The host's mounts are shared, as systemd makes them. Mounting needs root, as CI and the test set-up have it. */
beforeEach(() => {
  tree = buildTree({ locks: { directory: true }, [VM]: { directory: true }, '../w.yaml': { content: 'workloads: [{name: other}]\n' } });
  execFileSync('mount', ['--bind', tree.path('..'), tree.path('..')]);
  execFileSync('mount', ['--make-shared', tree.path('..')]);
});
afterEach(() => {
  execFileSync('umount', ['-R', tree.path('..')]);
  tree.cleanup();
});

/** A pass in mounts of its own that it has from before the VM's directory was mounted, as an agent's pod has. */
async function passAfterMount(propagation: 'slave' | 'private'): Promise<void> {
  execFileSync('mkfifo', [tree.path('../go')]);
  const pod = start('unshare', [
    '--mount',
    '--propagation',
    propagation,
    'bash',
    '-c',
    `echo ready; read -r _ <"$0/../go"; exec "$@"`,
    tree.instancesPath,
    process.execPath,
    BUNDLE,
    'pass',
    '--instances-path',
    tree.instancesPath,
    '--workloads',
    tree.path('../w.yaml'),
  ]);
  await once(pod.child.stdout ?? pod.child, 'data');
  execFileSync('mount', ['-t', 'tmpfs', 'basekeeper-test', tree.path(VM)]);
  tree.add({ [`_base/${BASE}`]: { content: 'x', sizeBytes: 1 << 20, ageSeconds: 3 * DAY } });
  qemuImg(['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', tree.path(`_base/${BASE}`), tree.path(`${VM}/disk`), '1M']);
  await writeFile(tree.path('../go'), 'go\n');
  await pod.ended;
}

describe('an instance directory that is mounted after the pod has started', () => {
  it('should be seen where mounts propagate from the host, as the chart asks for', async () => {
    await passAfterMount('slave');
    expect(existsSync(tree.path(`_base/${BASE}`))).toBe(true);
  });

  it('should be unseen where they do not: the price that ADR 0020 does not pay', async () => {
    await passAfterMount('private');
    expect(existsSync(tree.path(`_base/${BASE}`))).toBe(false);
  });
});
