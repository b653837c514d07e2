import { describe, expect, it } from 'vitest';
import type { Report } from '../../../../src/model/report.ts';
import { apiError, type MemoryKube } from '../../../helpers/memory-kube.ts';
import { cluster, kubectl, Pod, written } from '../../../helpers/plugin.ts';
import {
  heldReport,
  missingBackingFile,
  plannedFile,
  removableFile,
  report,
  trashedFile,
  trashPlan,
  undecidedReport,
} from '../../../helpers/reports.ts';

const BASE = plannedFile().name;

describe('kubectl basekeeper status', () => {
  it('should show all nodes in one table, in the order of their numbers, and what holds them', async () => {
    const kube = cluster();
    kube.putNode('node-10', '1', written(report({ files: [removableFile()], result: 'DryRun' })));
    kube.putNode('node-2', '2', { ...written(heldReport()), 'basekeeper.io/mode': 'enforce' });
    kube.putNode('node-4', '5', written(heldReport({ dryRun: true })));
    kube.putNode('node-3', '3', written(undecidedReport('Failed', 'EACCES: _base')));
    kube.putNode('control-1', '4', {});
    const { code, stdout, stderr } = await kubectl(kube, ['status']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout
      .replaceAll(/\d+[smhd] ago/g, 'AGE')
      .replaceAll(/ +/g, ' ')
      .trimEnd()
      .split('\n');
    expect(lines).toEqual([
      'NODE MODE RESULT LAST PASS FILES CACHED RECLAIMABLE HELD BECAUSE',
      'control-1 - - - - - - no agent has written here',
      expect.stringMatching(/^node-2 enforce Held \S+ 1 1\.0 GiB 1\.0 GiB SourceNotSynced$/),
      expect.stringMatching(/^node-3 - Failed \S+ - - - failed: EACCES: _base$/),
      expect.stringMatching(/^node-4 dry-run Held \S+ 1 1\.0 GiB 1\.0 GiB SourceNotSynced$/),
      expect.stringMatching(/^node-10 dry-run DryRun \S+ 1 1\.0 GiB 1\.0 GiB$/),
      '5 nodes (1 DryRun, 1 Failed, 1 without an agent, 2 Held): 3.0 GiB cached, 3.0 GiB reclaimable',
    ]);
  });

  it('should say in the table why an agent does not run', async () => {
    const kube = cluster();
    kube.putNode('node-1', 'node-1', {});
    const request = kube.request.bind(kube);
    const pod = {
      metadata: { namespace: 'basekeeper', name: 'agent', uid: 'a' },
      spec: { nodeName: 'node-1' },
      status: { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull' } } }] },
    };
    kube.request = async (asked) =>
      asked.path === '/api/v1/pods' ? { metadata: { resourceVersion: '1' }, items: [pod] } : await request(asked);
    expect((await kubectl(kube, ['status'])).stdout).toContain('the agent does not run: ErrImagePull');
  });

  it('should keep the last pass that removed something beside the last pass', async () => {
    const removing = written(report({ totals: { ...report().totals, removedFiles: 2, removedBytes: 2 ** 31 } }));
    const kube = cluster();
    kube.putNode('node-1', '1', { ...removing, ...written(report({ takenAt: '2026-11-23T14:10:00Z' })) });
    expect((await kubectl(kube, ['status', 'node-1'])).stdout).toMatch(/Removed +2 base files removed, 2\.0 GiB, \d+[smhd] ago/);
    expect(JSON.parse((await kubectl(kube, ['status', '-o', 'json'])).stdout)).toMatchObject({
      items: [{ lastRemoval: { at: removing['basekeeper.io/last-pass'], what: '2 base files removed, 2.0 GiB' } }],
    });
  });

  it('should need one paginated list of nodes, and no request a node, for a thousand nodes', async () => {
    const kube = cluster();
    for (let index = 0; index < 1203; index++) kube.putNode(`node-${index}`, String(index), written(report()));
    const { stdout } = await kubectl(kube, ['status']);
    expect(stdout).toContain('1203 nodes (1203 Succeeded)');
    expect(kube.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(Array(3).fill('GET /api/v1/nodes'));
    for (const { accept } of kube.requests) expect(accept).toContain('PartialObjectMetadataList');
  });

  it('should list once more when the list outlived its token', async () => {
    const kube = cluster();
    kube.putNode('node-1', '1', written(report()));
    let refusals = 1;
    kube.refuse = () => (refusals-- > 0 ? apiError(410) : undefined);
    expect((await kubectl(kube, ['status'])).code).toBe(0);
  });

  it('should fit a narrow terminal', async () => {
    const kube = cluster();
    kube.putNode('node-with-a-long-name.example.com', '1', written(heldReport()));
    const { stdout } = await kubectl(kube, ['status'], { terminal: { columns: 60 } });
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('should give the same as JSON, with the labels asked for', async () => {
    const kube = cluster();
    kube.putNode('node-1', '1', written(heldReport()));
    const { stdout } = await kubectl(kube, ['status', '-o', 'json', '-l', 'compute=true']);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'NodeStatusList',
      items: [{ node: 'node-1', result: 'Held', held: ['SourceNotSynced'], cache: { total: [1, 2 ** 30] } }],
    });
    expect(kube.requests[0]?.query).toMatchObject({ labelSelector: 'compute=true' });
  });

  it('should show annotations of strangers without letting them write to the terminal', async () => {
    const kube = cluster();
    const evil = '\u001B[2J\nnode-2 enforce';
    kube.putNode('node-1', '1', {
      'basekeeper.io/mode': evil,
      'basekeeper.io/result': 'Failed',
      'basekeeper.io/summary': evil.repeat(999),
    });
    const { stdout } = await kubectl(kube, ['status']);
    expect(stdout).not.toContain('\u001B');
    expect(stdout.split('\n')).toHaveLength(4);
    expect(stdout.length).toBeLessThan(2000);
  });
});

describe('kubectl basekeeper status NODE', () => {
  it('should show one node with what its agent says', async () => {
    const of = heldReport({ findings: [missingBackingFile()] });
    const kube = cluster({ 'node-1': of });
    kube.putNode('node-1', '1', { ...written(of), 'basekeeper.io/mode': 'dry-run', 'basekeeper.io/run-now': 'x' });
    const { code, stdout, stderr } = await kubectl(kube, ['status', 'node-1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Mode       dry-run (by the annotation basekeeper.io/mode)');
    expect(stdout).toContain('Held by    SourceNotSynced: source pods is syncing');
    expect(stdout).toContain('Findings   BackingFileMissing: instance-00000001:');
    expect(stdout).toContain('Waiting    for the pass that basekeeper.io/run-now=x asks for');
    expect(stdout).toMatch(/original +held +1 +1\.0 GiB/);
  });

  it('should work from the annotations alone, and say so, when the agent cannot be reached', async () => {
    const kube = cluster({ 'node-1': apiError(503) });
    kube.putNode('node-1', '1', written(heldReport()));
    const { code, stdout, stderr } = await kubectl(kube, ['status', 'node-1']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^kubectl basekeeper: from the annotations alone: cannot reach the agent basekeeper\/agent-node-1/);
    expect(stdout).toContain('Held by    SourceNotSynced: A source of workloads has not been listed completely.');
  });

  it('should end with 1 where there is no such node', async () => {
    const { code, stderr } = await kubectl(cluster(), ['status', 'node-1']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'kubectl basekeeper: cannot read node node-1: answered 404\n' });
  });
});

describe('kubectl basekeeper run', () => {
  /** Agents that answer each run-now at once. */
  function answering(...reports: readonly Report[]): MemoryKube {
    const kube = cluster(Object.fromEntries(reports.map((of) => [of.node, of])));
    for (const { node } of reports) kube.putNode(node, node, {});
    kube.refuse = ({ method, path }) => {
      const of = reports.find(({ node }) => path.endsWith(`/${node}`));
      const asked = kube.node(of?.node ?? '')?.annotations ?? {};
      const wanted = asked['basekeeper.io/run-now'];
      if (method === 'GET' && of !== undefined && wanted !== undefined)
        kube.putNode(of.node, of.node, { ...asked, ...written(of), 'basekeeper.io/run-now-done': wanted });
      return undefined;
    };
    return kube;
  }

  it('should wait for the pass and say what it came to', async () => {
    const kube = answering(report(), report({ node: 'node-2', files: [removableFile()], result: 'DryRun' }));
    const { code, stdout } = await kubectl(kube, ['run', 'node-1', 'node-2', 'node-1']);
    expect(code).toBe(0);
    expect(stdout).toBe('node-1: Succeeded: 1 base file, 1.0 GiB\nnode-2: DryRun: 1 base file, 1.0 GiB; 1 removable, 1.0 GiB\n');
    expect(kube.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(2);
  });

  it('should end with 3 when a pass was held', async () => {
    expect(await kubectl(answering(heldReport()), ['run', 'node-1'])).toMatchObject({ code: 3, stderr: '' });
  });

  it('should end with 1 when a pass failed or a node is not there, and still ask the others', async () => {
    const kube = answering(report(), undecidedReport('Failed', 'EACCES'));
    expect((await kubectl(answering(undecidedReport('Failed', 'EACCES')), ['run', 'node-1'])).code).toBe(1);
    const { code, stdout, stderr } = await kubectl(kube, ['run', 'gone', 'node-1', '-o', 'json']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject([
      { node: 'gone', ok: false },
      { node: 'node-1', ok: true, result: 'Succeeded' },
    ]);
  });

  it('should say at once why an agent does not run, and not wait for it', async () => {
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image' };
    const kube = cluster({ 'node-1': new Pod({ status: { phase: 'Pending', containerStatuses: [{ state: { waiting } }] } }) });
    kube.putNode('node-1', 'node-1', {});
    const { code, stderr } = await kubectl(kube, ['run', 'node-1']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'kubectl basekeeper: node-1: asked for a pass, but the agent does not run: ImagePullBackOff: Back-off pulling image\n',
    );
    expect(kube.requests.filter(({ path }) => path === '/api/v1/nodes/node-1')).toHaveLength(1);
  });

  it('should say what the pod’s events say where its status does not', async () => {
    const status = { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] };
    const kube = cluster({ 'node-1': new Pod({ status }) });
    kube.putNode('node-1', 'node-1', {});
    const request = kube.request.bind(kube);
    const failed = {
      metadata: { uid: 'e' },
      reason: 'FailedMount',
      message: 'hostPath type check failed',
      lastTimestamp: '2026-11-23T14:00:00Z',
    };
    kube.request = async (asked) =>
      asked.path.endsWith('/namespaces/basekeeper/events') ? { metadata: { resourceVersion: '1' }, items: [failed] } : await request(asked);
    expect((await kubectl(kube, ['run', 'node-1'])).stderr).toContain('the agent does not run: FailedMount: hostPath type check failed');
    expect((await kubectl(kube, ['status', 'node-1'])).stdout).toMatch(/Agent +does not run: FailedMount: hostPath/);
  });

  it('should say at once that a node has no agent', async () => {
    const kube = cluster();
    kube.putNode('node-1', '1', {});
    const { code, stderr } = await kubectl(kube, ['run', 'node-1', '--timeout', '86400']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^kubectl basekeeper: node-1: asked for a pass, but no agent runs there: it has no pod with the labels app\S+; if/,
    );
    expect(kube.requests.filter(({ path }) => path === '/api/v1/nodes/node-1')).toHaveLength(2);
  });

  it('should wait for an agent that is not a pod, but wrote there lately', async () => {
    const kube = cluster();
    kube.putNode('node-1', '1', written(report()));
    const { stderr } = await kubectl(kube, ['run', 'node-1', '--timeout', '1']);
    expect(stderr).toContain('node-1: it has no pod with the labels');
    expect(stderr).toContain('but an agent wrote there lately; waiting\n');
    expect(stderr).toContain('no answer within 1 s');
  });

  it('should ask every node with the labels, or every node that has an agent', async () => {
    const kube = cluster();
    kube.putNode('node-10', '1', written(report()));
    kube.putNode('node-2', '2', written(report()));
    kube.putNode('control-1', '3', {});
    const asked = async (...options: readonly string[]) => (await kubectl(kube, ['run', '--no-wait', '-o', 'name', ...options])).stdout;
    expect(await asked('--all')).toBe('node/node-2\nnode/node-10\n');
    expect(await asked('-l', 'compute=true')).toBe('node/control-1\nnode/node-2\nnode/node-10\n');
    expect(kube.requests.find(({ path }) => path === '/api/v1/nodes')?.query).not.toHaveProperty('labelSelector');
    expect(kube.requests.filter(({ query }) => query?.['labelSelector'] === 'compute=true')).toHaveLength(1);
    expect(await asked('node/node-2')).toBe('node/node-2\n');
  });

  it('should say that no node was meant', async () => {
    const kube = cluster();
    expect(await kubectl(kube, ['run', '--all'])).toMatchObject({ code: 1, stderr: 'kubectl basekeeper: no node has an agent\n' });
    expect((await kubectl(kube, ['mode', '-l', 'a=b', 'off'])).stderr).toBe('kubectl basekeeper: no node has the labels a=b\n');
  });

  it('should only ask with --no-wait', async () => {
    const kube = cluster();
    kube.putNode('node-1', '1', {});
    const { code, stdout } = await kubectl(kube, ['run', 'node-1', '--no-wait']);
    expect(code).toBe(0);
    expect(stdout).toContain(kube.node('node-1')?.annotations['basekeeper.io/run-now'] ?? 'nothing');
    expect(kube.requests).toHaveLength(1);
  });

  it('should give up after the time allowed, and say what to look at', async () => {
    const kube = cluster({ 'node-1': report() });
    kube.putNode('node-1', '1', {});
    const { code, stderr } = await kubectl(kube, ['run', 'node-1', '--timeout', '1']);
    expect(code).toBe(1);
    expect(stderr).toContain('node-1: no answer within 1 s; does an agent run there? It may still come: kubectl basekeeper status node-1');
  });
});

describe('kubectl basekeeper mode', () => {
  it('should annotate each node, and take the annotation away again', async () => {
    const kube = cluster();
    for (const name of ['node-1', 'node-2']) kube.putNode(name, name, { other: 'kept' });
    const set = await kubectl(kube, ['mode', 'node-1', 'node-2', 'enforce']);
    expect(set).toMatchObject({
      code: 0,
      stdout: ['node-1', 'node-2'].map((node) => `${node}: mode enforce; a pass begins at once where that changes the mode\n`).join(''),
    });
    expect(kube.node('node-2')?.annotations).toEqual({ other: 'kept', 'basekeeper.io/mode': 'enforce' });
    await kubectl(kube, ['mode', 'node-2', 'configured']);
    expect(kube.node('node-2')?.annotations).toEqual({ other: 'kept' });
  });

  it('should be set on every node with the labels, or on all', async () => {
    const kube = cluster();
    for (const name of ['node-1', 'node-2']) kube.putNode(name, name, written(report()));
    kube.putNode('control-1', 'c', {});
    expect((await kubectl(kube, ['mode', '--all', 'dry-run', '-o', 'name'])).stdout).toBe('node/node-1\nnode/node-2\n');
    expect(kube.node('node-2')?.annotations).toMatchObject({ 'basekeeper.io/mode': 'dry-run' });
    expect(kube.node('control-1')?.annotations).toEqual({});
    expect(JSON.parse((await kubectl(kube, ['mode', '-l', 'a=b', 'off', '-o', 'json'])).stdout)).toHaveLength(3);
  });

  it('should tell which right is missing', async () => {
    const kube = cluster();
    kube.refuse = () => apiError(403);
    const { code, stderr } = await kubectl(kube, ['mode', 'node-1', 'off']);
    expect(code).toBe(1);
    expect(stderr).toBe('kubectl basekeeper: node-1: cannot annotate node node-1; it takes the right to patch nodes: answered 403\n');
  });
});

describe('kubectl basekeeper explain', () => {
  it('should explain a file by the report of the agent on that node', async () => {
    const kube = cluster({ 'node-1': report() });
    const { code, stdout } = await kubectl(kube, ['explain', 'node-1', BASE]);
    expect(code).toBe(0);
    expect(stdout).toContain('keep, kept: ReferencedByWorkload.');
    expect(JSON.parse((await kubectl(kube, ['explain', 'node-1', BASE, '-o', 'json'])).stdout)).toMatchObject({ kind: 'Explanation' });
  });

  it('should say how the disk is looked at where the mode is off', async () => {
    const { code, stderr } = await kubectl(cluster({ 'node-1': undecidedReport('Skipped', 'the mode is off') }), [
      'explain',
      'node-1',
      BASE,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('the mode of node node-1 is off');
    expect(stderr).toMatch(/kubectl exec --namespace basekeeper agent-node-1 .* explain [0-9a-f]{40} --config/);
  });

  it('should not say of a dry run that a file is kept and removed', async () => {
    const dry = report({ files: [removableFile({ outcome: 'kept' })], result: 'DryRun' });
    const { stdout } = await kubectl(cluster({ 'node-1': dry }), ['explain', 'node-1', removableFile().name]);
    expect(stdout).toContain('remove in mode enforce; this pass only looked: Unused. Nothing uses it and it is old enough.');
  });

  it('should say how a removed file comes back, by the agent’s pod', async () => {
    const trash = trashPlan([trashedFile(`${BASE}.5`)]);
    const { code, stdout } = await kubectl(cluster({ 'node-1': report({ files: [], trash }) }), ['explain', 'node-1', BASE]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}Restore +kubectl exec --namespace \S+ \S+ --container agent -- .* restore [0-9a-f]{40}\.5 --config /m);
  });

  it.each([
    ['no agent', {}, 'no agent runs on node node-1: it has no pod with the labels app.kubernetes.io/name=basekeeper'],
    ['an agent that does not answer', { 'node-1': apiError(503) }, 'by a port-forward: answered 503'],
    ['a right that is missing', { 'node-1': apiError(403) }, 'it takes the right to get and create pods/portforward'],
    ['something else in its place', { 'node-1': { kind: 'Teapot' } }, 'is not a report that this version of Basekeeper can read'],
    [
      'a file that is not there',
      { 'node-1': report({ files: [] }) },
      'no base file in /var/lib/nova/instances/_base or its trash has this name',
    ],
  ])('should end with 1 and say why: %s', async (_what, agents, message) => {
    const { code, stdout, stderr } = await kubectl(cluster(agents), ['explain', 'node-1', BASE]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('the command line of the plugin', () => {
  it.each(
    ['status', 'run', 'mode', 'explain', 'doctor', 'completion'].flatMap((command) => [
      [command, '--help'],
      [command, '-h'],
    ]),
  )('should print help of %s with an example, without a cluster: %s', async (command, option) => {
    const { code, stdout, places } = await kubectl(cluster(), [command, option]);
    expect({ code, places }).toEqual({ code: 0, places: [] });
    expect(stdout).toContain(`Usage: kubectl basekeeper ${command}`);
    expect(stdout).toMatch(new RegExp(`Examples?:\\n  \\$ kubectl basekeeper ${command}`));
  });

  it('should take kubeconfig and context before and after the command', async () => {
    const asked = ['--kubeconfig', 'k', 'status', '--context', 'c'];
    expect((await kubectl(cluster(), asked)).places).toEqual([{ kubeconfig: 'k', context: 'c' }]);
  });

  it.each([
    ['an unknown command', ['stat'], 'Did you mean status?'],
    ['no node', ['run'], 'name the nodes, or give --selector or --all: kubectl basekeeper run NODE...'],
    ['nodes by name and by labels', ['run', 'node-1', '-l', 'a=b'], 'name nodes, or give --selector or --all; not both'],
    ['all nodes and some', ['mode', '--all', '-l', 'a=b', 'off'], "option '-l, --selector <labels>' cannot be used with option '--all'"],
    ['a node with labels', ['status', 'node-1', '-l', 'a=b'], 'name a node, or give --selector; not both'],
    [
      'an invalid mode',
      ['mode', 'node-1', 'delete'],
      'the last word must be the mode, one of off, dry-run, enforce, configured; not "delete"',
    ],
    ['a mode without a node', ['mode', 'enforce'], 'name the nodes, or give --selector or --all: kubectl basekeeper mode NODE...'],
    ['an invalid time', ['run', 'a', '--timeout', 'x'], 'It must be a number of seconds'],
    ['an unknown output', ['status', '-o', 'xml'], 'Allowed choices are table, wide, json, yaml, name'],
  ])('should refuse %s with exit code 2', async (_what, argv, message) => {
    const { code, stdout, stderr } = await kubectl(cluster(), argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});
