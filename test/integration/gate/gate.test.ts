import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, it, vi } from 'vitest';
import { startHttpProxy, type HttpProxy } from '../../helpers/fault-proxy.ts';
import { type KubeServer, startKubeServer } from '../../helpers/kube-server.ts';
import { allowPods } from '../../helpers/kube-sources.ts';
import { USED, createPod, deletePod, startNode, vm, type Node } from './agent.ts';

let server: KubeServer;
let proxy: HttpProxy;
let node: Node;

beforeAll(async () => {
  server = await startKubeServer();
  proxy = await startHttpProxy(server);
  await allowPods(server);
});
afterAll(async () => {
  await proxy.close();
  await server.stop();
});
beforeEach(async () => {
  node = await startNode(server, proxy);
});
afterEach(async () => {
  vi.restoreAllMocks();
  proxy.fault = () => undefined;
  await node.stop();
  vi.unstubAllEnvs();
});

const asksForPods = (line: string): boolean => line.startsWith('GET /api/v1/pods?');
const isQuorumList = (line: string): boolean => asksForPods(line) && line.includes('limit=');

/** Both clocks of this process go on from `byMs` later; `wall`: only the one on the wall. */
function shiftClocks(byMs: number, which: 'both' | 'wall'): void {
  const [wall, monotonic] = [Date.now.bind(Date), performance.now.bind(performance)];
  vi.spyOn(Date, 'now').mockImplementation(() => wall() + byMs);
  if (which === 'both') vi.spyOn(performance, 'now').mockImplementation(() => monotonic() + byMs);
}

/** Each closes the gate of a real agent that watches a real API server, and opens it again. */
describe('the gate', () => {
  it('should be closed while a source is refused (SourceNotSynced)', async () => {
    proxy.fault = (line) =>
      asksForPods(line) ? { status: 403, body: '{"kind":"Status","reason":"Forbidden","message":"no"}' } : undefined;
    proxy.breakStreams(asksForPods);
    await node.seeClosed('SourceNotSynced');
    proxy.fault = () => undefined;
    await node.seeOpen('SourceNotSynced');
  });

  it('should be closed while a watch has been silent for an hour and nothing can be listed (SourceStale)', async () => {
    proxy.fault = (line) => (asksForPods(line) ? { status: 503 } : undefined);
    proxy.breakStreams(asksForPods);
    // What is awaited for an hour, by the agent's own clocks.
    shiftClocks(3_600_000, 'both');
    await node.seeClosed('SourceStale');
    vi.restoreAllMocks();
    proxy.fault = () => undefined;
    // What this pass writes is answered with the API server's time, by clocks that are true again.
    await node.pass();
    await node.seeOpen('SourceStale');
  });

  it('should be closed while no consistent list can be had, though the watch goes on (ConsistentListMissing)', async () => {
    proxy.fault = (line) => (isQuorumList(line) ? { status: 500 } : undefined);
    await node.seeClosed('ConsistentListMissing');
    proxy.fault = () => undefined;
    await node.seeOpen('ConsistentListMissing');
  });

  it('should be closed while a pod of this node mounts the instances path and nobody knows what for (WorkloadIncomplete)', async () => {
    const hostPath = { path: node.tree.instancesPath };
    const { metadata: _metadata, ...rest } = vm('stranger', { volumes: [{ name: 'instances', hostPath }] }) as { metadata: object };
    await createPod(server, { metadata: { name: 'stranger', namespace: 'default' }, ...rest });
    await node.seeClosed('WorkloadIncomplete');
    await deletePod(server, 'stranger');
    await node.seeOpen('WorkloadIncomplete');
  });

  it('should neither be closed nor keep a file by what a tenant writes on a pod that cannot reach the instances path', async () => {
    const annotations = { 'basekeeper.io/image-ref': 'unused-image', 'basekeeper.io/image-rex': '*', 'basekeeper.io/swap-mb': '-1' };
    const tenants = vm('tenant', { volumes: [], containers: [{ name: 'a', image: 'a' }] }) as { metadata: object };
    await createPod(server, { ...tenants, metadata: { ...tenants.metadata, annotations } });
    await node.seeOpen('WorkloadIncomplete');
    await deletePod(server, 'tenant');
  });

  it("should be closed while a disk's header cannot be read (Unseen)", async () => {
    node.tree.add({ 'broken-vm/disk': { qcow2: {} } });
    truncateSync(node.tree.path('broken-vm/disk'), 40);
    await node.seeClosed('Unseen');
    node.tree.remove('broken-vm');
    await node.seeOpen('Unseen');
  });

  it('should be closed while _base cannot be listed (ScanIncomplete)', async () => {
    const elsewhere = node.tree.path('../elsewhere');
    renameSync(node.tree.basePath, elsewhere);
    symlinkSync(elsewhere, node.tree.basePath);
    await node.seeClosed('ScanIncomplete');
    rmSync(node.tree.basePath);
    renameSync(elsewhere, node.tree.basePath);
    await node.seeOpen('ScanIncomplete');
  });

  it.each(['_base', 'locks'])('should be closed while everybody may write to %s (DirectoryOpenToAll)', async (name) => {
    mkdirSync(node.tree.path(name), { recursive: true });
    chmodSync(node.tree.path(name), 0o1777);
    await node.seeClosed('DirectoryOpenToAll');
    chmodSync(node.tree.path(name), 0o755);
    await node.seeOpen('DirectoryOpenToAll');
  });

  it('should be closed for one pass by a file in use from the future (ClockNotSane)', async () => {
    execFileSync('touch', ['-d', 'next year', node.tree.path(`_base/${USED}`)]);
    await node.seeClosed('ClockNotSane');
    // That pass has touched the file.
    await node.seeOpen('ClockNotSane');
  });

  it.each([1, -1])("should be closed while a wall clock that was set by %i day is not the API server's (ClockNotSane)", async (days) => {
    shiftClocks(days * 86_400_000, 'wall');
    await node.seeClosed('ClockNotSane');
    await node.seeClosed('ClockNotSane');
    vi.restoreAllMocks();
    // The pass after that sees how far it was set back.
    await node.seeClosed('ClockNotSane');
    await node.seeOpen('ClockNotSane');
  });

  it('should be closed while the clock is wrong, though it was so before the agent began (ClockNotSane)', async () => {
    await node.stop();
    shiftClocks(10 * 86_400_000, 'wall');
    node = await startNode(server, proxy);
    await node.seeClosed('ClockNotSane');
  });

  it('should be closed while another directory is mounted as locks (DirectoryMismatch)', async () => {
    node.tree.add({ locks: { directory: true }, '../elsewhere': { directory: true } });
    execFileSync('mount', ['--bind', node.tree.path('../elsewhere'), node.tree.path('locks')]);
    await node.seeClosed('DirectoryMismatch');
    execFileSync('umount', [node.tree.path('locks')]);
    await node.seeOpen('DirectoryMismatch');
  });

  it('should be closed while compute_nodes names another host and nobody has said that it is shared (SharedUndeclared)', async () => {
    node.tree.add({ compute_nodes: { content: JSON.stringify({ 'host-b': Date.now() / 1000 }) } });
    await node.seeClosed('SharedUndeclared');
    node.tree.remove('compute_nodes');
    await node.seeOpen('SharedUndeclared');
  });

  it('should be closed while nobody knows a single workload (EmptyInventory)', async () => {
    await deletePod(server, 'vm-1');
    await node.seeClosed('EmptyInventory');
    await createPod(server, vm('vm-1'));
    await node.seeOpen('EmptyInventory');
  });
});
