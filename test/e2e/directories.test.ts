import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TRY_TO_WRITE } from './lib/agent-scripts.ts';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree, NOVA } from './lib/tree.ts';

const access = inject('cluster');
const session = createSession(access, 'basekeeper-directories');
const { kubectl, helm } = session;
const tree = new InstancesTree(join(access.sharedDirectory, 'directories', 'instances'), { bare: true });
const [base, locks] = [join(tree.path, '_base'), join(tree.path, 'locks')];
const options = [...helmOptions(tree.path), '--set', 'createDirectories.enabled=true,config.jitterSeconds=0'];

beforeAll(async () => {
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
});

describe('a node where Nova has never built an instance', () => {
  it('should get `_base` and `locks` that are Nova’s, when asked for, and an agent that is Ready', async () => {
    await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
    await session.readyAgent();
    for (const path of [base, locks]) {
      const { uid, gid, mode } = statSync(path);
      expect({ uid, gid, mode: mode & 0o7777 }, path).toEqual({ uid: NOVA, gid: NOVA, mode: 0o755 });
    }
    expect((await session.runNow(access.node))['basekeeper.io/result']).toBe('DryRun');
  });

  it('should let that agent write there and nowhere else, as where Nova has made them', async () => {
    const pod = await session.readyAgent();
    const answers = await session.runInAgent(pod.metadata.name, TRY_TO_WRITE, tree.path, base, locks);
    expect(JSON.parse(answers)).toEqual(['EROFS', 'written', 'written']);
  });
});
