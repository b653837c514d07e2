import { mkdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startLockHolder } from '../../helpers/execute-tree.ts';
import { PATIENTLY, sharedHost, sharedTree, startAgent } from '../../helpers/shared-agents.ts';

/** As kubelet and Prometheus ask, which wait for five and ten seconds. */
async function ask(port: number, path: string): Promise<{ status: number; tookMs: number; text: string }> {
  const before = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const text = await response.text();
  return { status: response.status, tookMs: performance.now() - before, text };
}

describe('a stranger who holds the lock of the registry for as long as it likes', () => {
  it('should keep neither probes nor metrics waiting for as long as that', async () => {
    const tree = sharedTree({ compute_nodes: { content: '{}' } });
    const holder = startLockHolder();
    onTestFinished(holder.kill);
    const lock = tree.path('locks/nova-storage-registry-lock');
    expect(await holder.ask(`lockf ${lock}`)).toBe('held');
    const agent = startAgent(sharedHost(tree, 'host-a', { intervalSeconds: 3600 }));
    const port = await vi.waitFor(() => {
      const started = agent.log().find(({ msg }) => msg === 'the agent has started') as { port?: number } | undefined;
      return started?.port ?? expect.fail('not started');
    }, PATIENTLY);
    for (const path of ['/readyz', '/metrics', '/readyz']) expect((await ask(port, path)).tookMs, path).toBeLessThan(4000);
    await vi.waitFor(async () => expect((await ask(port, '/readyz')).status).toBe(200), PATIENTLY);
    expect((await ask(port, '/metrics')).text).toContain('basekeeper_source_synced{source="sharedStorage"}');
  });
});

describe('a directory in the place of a temporary file', () => {
  it('should be told once, with what to do, however often the file is to be written', async () => {
    const tree = sharedTree({ compute_nodes: { content: '{}' } });
    for (const name of ['.basekeeper-host-host-a.json.tmp', '.basekeeper-hosts.json.tmp']) mkdirSync(tree.path(`locks/${name}`));
    const agent = startAgent(sharedHost(tree, 'host-a'));
    const passes = () => agent.log().filter(({ msg }) => msg.startsWith('pass ended')).length;
    // A report is written every ten seconds, and a registration with each pass.
    await vi.waitFor(() => expect(passes()).toBeGreaterThan(14), PATIENTLY);
    const told = agent.log().filter(({ msg }) => msg.includes('could not be')) as unknown as { msg: string; problem: string }[];
    expect(told.map(({ msg }) => msg).toSorted()).toEqual([
      'host "host-a" could not be registered',
      'the report of host "host-a" could not be written',
    ]);
    for (const { problem } of told)
      expect(problem).toMatch(/locks\/\.basekeeper-host\S*\.tmp' is a directory, where a temporary file should be made: remove it$/);
  });

  it('should be told as well in the place of the report itself', async () => {
    const tree = sharedTree({ compute_nodes: { content: '{}' } });
    mkdirSync(tree.path('locks/basekeeper-host-host-a.json'));
    const agent = startAgent(sharedHost(tree, 'host-a'));
    const told = () => agent.log().filter(({ msg }) => msg.includes('could not be')) as unknown as { problem: string }[];
    await vi.waitFor(() => expect(told()).not.toEqual([]), PATIENTLY);
    expect(told()[0]?.problem).toMatch(/locks\/basekeeper-host-host-a\.json' is a directory, where this file should be: remove it$/);
  });
});
