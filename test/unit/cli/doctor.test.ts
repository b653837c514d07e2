import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Report } from '../../../src/model/report.ts';
import { agentOn, bindingFor, diagnosis, doctor, heldBy, podOn, policyFor, type DoctorWorld } from '../../helpers/doctor-world.ts';
import { heldReport, removableFile, report, TAKEN_AT } from '../../helpers/reports.ts';

const FINE = report({ files: [removableFile()], result: 'DryRun' });
const WITH_LIBVIRT: Report = { ...FINE, sources: [{ name: 'libvirt', state: 'synced', workloads: 1, gaps: 0, lastContact: TAKEN_AT }] };
const LATER: Report = { ...FINE, takenAt: new Date(Date.parse(TAKEN_AT) + 3 * 3_600_000).toISOString() };
const LIBVIRT_ON = { config: { sources: { libvirt: { enabled: true } } } };
const NO_POLICY = { policies: [], bindings: [] };

describe('kubectl basekeeper doctor', () => {
  it('should find nothing on a fleet that is well, and say so', async () => {
    expect(await doctor({ reports: { 'node-1': FINE } })).toMatchObject({ code: 0, stdout: 'Nothing is wrong.\n', stderr: '' });
    const { stdout } = await doctor({ reports: { 'node-1': FINE } }, ['-o', 'json']);
    expect(JSON.parse(stdout)).toEqual({ apiVersion: 'basekeeper.io/v1', kind: 'Diagnosis', problems: [], unknown: [], values: {} });
  });

  it('should group pods by their owner, and print the values that exempt them', async () => {
    const owner = { kind: 'DaemonSet', name: 'backup', controller: true };
    const labels = { app: 'backup', 'controller-revision-hash': 'x' };
    const pods = [podOn({ labels, owner }, 'backup-a'), podOn({ labels, owner }, 'backup-b')];
    const world = { reports: { 'node-1': heldBy('backup-a'), 'node-2': heldBy('backup-b'), 'node-3': FINE }, pods };
    const { code, stdout } = await doctor(world);
    expect(code).toBe(1);
    const [line, empty, advice, ...yaml] = stdout.split('\n');
    expect([line, empty, advice]).toEqual([
      expect.stringMatching(/^PodHolds \(2 nodes: node-1, node-2\): DaemonSet backup in namespace monitoring can reach .* exempt it$/),
      '',
      expect.stringMatching(/^# Values of the chart/),
    ]);
    expect(parse(yaml.join('\n'))).toEqual({
      config: { exemptPods: [{ namespace: 'monitoring', selector: { matchLabels: { app: 'backup' } } }] },
    });
    const { problems } = JSON.parse((await doctor(world, ['-o', 'json'])).stdout) as { problems: object[] };
    expect(problems).toMatchObject([{ kind: 'PodHolds', nodes: ['node-1', 'node-2'], values: { config: { exemptPods: [{}] } } }]);
  });

  it('should say why an agent that is held cannot be asked, with what the API server says of it', async () => {
    const { code, stdout } = await doctor({ reports: { 'node-1': heldReport({}) }, mute: ['node-1'] });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ReportMissing \(1 node: node-1\): it is held, and its agent cannot be asked: .* port-forward: answered 500$/m);
  });

  it('should print one document for all that holds, which can be pasted as it is', async () => {
    const names = ['a', 'b', 'libvirt'];
    const pods = [
      podOn({ labels: { app: 'a' } }, 'a'),
      podOn({ labels: { app: 'b' } }, 'b'),
      podOn({ labels: { application: 'libvirt' } }, 'libvirt'),
    ];
    const { stdout } = await doctor({ reports: { 'node-1': heldBy(...names) }, pods, ...NO_POLICY });
    const exempt = (app: string): object => ({ namespace: 'monitoring', selector: { matchLabels: { app } } });
    expect(parse(stdout.slice(stdout.indexOf('\n# ')))).toEqual({
      config: { exemptPods: [exempt('a'), exempt('b')], sources: { libvirt: { enabled: true } } },
      admissionPolicy: { enabled: true },
    });
  });

  it.each([
    [{ application: 'libvirt' }, LIBVIRT_ON],
    [{ 'kubevirt.io': 'virt-launcher' }, { config: { sources: { virtualMachineInstances: { enabled: true } } } }],
    [{ application: 'nova', component: 'conductor' }, { config: { exemptPods: [expect.anything()] } }],
    [{}, undefined],
  ])('should know what fixes a pod with the labels %j', async (labels, values) => {
    const { stdout } = await doctor({ reports: { 'node-1': heldBy('p') }, pods: [podOn({ labels }, 'p')] }, ['-o', 'json']);
    expect((JSON.parse(stdout) as { problems: { values?: object }[] }).problems.map((problem) => problem.values)).toEqual([values]);
  });

  it('should name a Deployment, not its ReplicaSet', async () => {
    const owner = { kind: 'ReplicaSet', name: 'scanner-7f9c6d5b8d', controller: true };
    const { stdout } = await doctor({ reports: { 'node-1': heldBy('p') }, pods: [podOn({ labels: { app: 'scanner' }, owner }, 'p')] });
    expect(stdout).toContain('Deployment scanner in namespace');
  });

  it.each([
    [
      'another reason of the gate',
      { reports: { 'node-1': heldReport() } },
      'GateClosed (1 node: node-1): SourceNotSynced: source pods is syncing',
    ],
    [
      'a node that lost its agent',
      { reports: { 'node-1': FINE, 'node-2': FINE }, agents: [agentOn('node-1')] },
      'AgentMissing (1 node: node-2)',
    ],
    [
      'an agent whose image cannot be pulled',
      { reports: { 'node-1': FINE }, agents: [agentOn('node-1', { waiting: { reason: 'ImagePullBackOff', message: 'not found' } })] },
      'the agent basekeeper/agent-node-1 does not run: ImagePullBackOff: not found',
    ],
    [
      'two versions of the agent',
      { reports: { a: FINE, b: FINE }, agents: [agentOn('a'), agentOn('b', { image: 'basekeeper:2' })] },
      'AgentsDiffer: agents run different images: 1 node with basekeeper:1, 1 node with basekeeper:2',
    ],
    ['no policy', { reports: { 'node-1': FINE }, ...NO_POLICY }, '\nadmissionPolicy:\n  enabled: true\n'],
  ])('should tell of %s', async (_what, world: DoctorWorld, line) => {
    const { code, stdout } = await doctor(world);
    expect(code).toBe(1);
    expect(stdout).toContain(line);
  });

  it('should look at the rest where the caller may not list pods, and say so', async () => {
    const { kinds, problems } = await diagnosis({ reports: { 'node-1': heldReport() }, forbidden: ['list pods'], ...NO_POLICY });
    expect(kinds).toEqual(['GateClosed', 'PolicyMissing', 'RightMissing']);
    expect(problems.at(-1)?.message).toBe('you may not list pods: which pods hold nodes, and where agents run, is not looked at');
  });

  it.each(['create pods/portforward', 'get pods/portforward'])('should ask no agent without the right to %s', async (right) => {
    const { code, stdout, asked } = await doctor({ reports: { 'node-1': heldReport() }, forbidden: [right] });
    expect(code).toBe(1);
    expect(stdout).toContain(`RightMissing: you may not ${right}: no agent is asked`);
    expect(asked).not.toContain('report node-1');
  });

  it('should say nothing of policies that it may not list', async () => {
    const { kinds } = await diagnosis({ reports: { 'node-1': FINE }, forbidden: ['list validatingadmissionpolicies'], ...NO_POLICY });
    expect(kinds).toEqual(['RightMissing']);
  });

  it('should end with 2 where it cannot look', async () => {
    const { code, stdout, stderr } = await doctor({ reports: {}, objects: { '/api/v1/nodes': { kind: 'Nonsense' } } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kubectl basekeeper: /);
    expect(await doctor({ reports: {} }, ['--silent-after', 'soon'])).toMatchObject({ code: 2, stderr: expect.stringContaining('7200') });
  });
});

describe('agents', () => {
  it('should be old beside a newer agent, which is newer by its number', async () => {
    const agents = [agentOn('a', { image: 'r/basekeeper:0.9.0' }), agentOn('b', { image: 'r/basekeeper:0.10.0' })];
    const { problems } = await diagnosis({ reports: { a: FINE, b: FINE }, agents });
    const old = { kind: 'AgentOld', nodes: ['a'], message: 'its agent is older than other agents (0.10.0): upgrade the chart' };
    expect(problems).toEqual([expect.objectContaining({ kind: 'AgentsDiffer' }), old]);
  });

  it('should be silent where nothing was heard for three intervals', async () => {
    const world = { reports: { a: FINE }, hoursLater: 3 };
    expect((await diagnosis(world)).problems).toMatchObject([
      { kind: 'AgentSilent', nodes: ['a'], message: expect.stringContaining('for 3 h') },
    ]);
    expect((await diagnosis({ ...world, hoursLater: 1.9 })).kinds).toEqual([]);
    expect((await diagnosis(world, ['--silent-after', '14400'])).kinds).toEqual([]);
  });

  it.each([
    { intervalSeconds: 600, limitHours: (3600 + 1200) / 3600 },
    { intervalSeconds: 21_600, limitHours: 18 },
  ])('should be silent by their own interval of $intervalSeconds s', async ({ intervalSeconds, limitHours }) => {
    const world = { reports: { a: FINE }, intervalSeconds };
    expect((await diagnosis({ ...world, hoursLater: limitHours - 0.1 })).kinds).toEqual([]);
    expect((await diagnosis({ ...world, hoursLater: limitHours + 0.1 })).kinds).toEqual(['AgentSilent']);
    expect((await diagnosis({ ...world, hoursLater: limitHours - 0.1 }, ['--silent-after', '60'])).kinds).toEqual(['AgentSilent']);
  });

  it('should be silent where they make passes and the node hears nothing of them', async () => {
    const { problems } = await diagnosis({ reports: { a: FINE }, answers: { a: LATER }, hoursLater: 3 });
    expect(problems).toMatchObject([{ kind: 'AgentSilent', message: expect.stringContaining('makes passes: see its log') }]);
  });

  it('should be silent where they have been ready for long and never wrote', async () => {
    const ready = { status: 'True', lastTransitionTime: TAKEN_AT };
    const world = { reports: {}, blank: ['a'], agents: [agentOn('a', { ready })], mute: ['a'] };
    expect((await diagnosis({ ...world, hoursLater: 3 })).kinds).toContain('AgentSilent');
    expect((await diagnosis({ ...world, hoursLater: 1 })).kinds).not.toContain('AgentSilent');
    const started = { status: 'True', lastTransitionTime: LATER.takenAt };
    const restarted = { reports: { a: FINE }, agents: [agentOn('a', { ready: started })], hoursLater: 3 };
    expect((await diagnosis(restarted)).kinds).toEqual([]);
  });

  it('should be told with the state of their pods where they are not ready', async () => {
    const ready = { status: 'False', message: 'containers with unready status: [agent]' };
    const { problems } = await diagnosis({ reports: { a: FINE }, agents: [agentOn('a', { ready, ended: 'OOMKilled' })], hoursLater: 3 });
    const message = 'the agent basekeeper/agent-a is not ready: containers with unready status: [agent]; it ended before: OOMKilled';
    expect(problems).toEqual([{ kind: 'AgentNotReady', nodes: ['a'], message }]);
  });

  it('should be missed where nova-compute runs and none ever was', async () => {
    const pods = [
      podOn({ labels: { application: 'libvirt' }, node: 'b' }, 'l'),
      podOn({ labels: { application: 'nova', component: 'api' }, node: 'c' }, 'n'),
    ];
    const { problems } = await diagnosis({ reports: { a: WITH_LIBVIRT }, blank: ['b', 'c'], pods });
    expect(problems).toMatchObject([{ kind: 'AgentMissing', nodes: ['b'], message: expect.stringContaining('check nodeSelector') }]);
  });

  it('should be asked where they are held or silent, and one that speaks for those that are alike', async () => {
    const pods = [podOn({ labels: { application: 'libvirt' }, node: 'b' }, 'l')];
    const reportsAsked = async (world: DoctorWorld) => (await doctor(world)).asked.filter((path) => path.startsWith('report '));
    expect(await reportsAsked({ reports: { a: WITH_LIBVIRT, b: WITH_LIBVIRT, c: WITH_LIBVIRT }, pods })).toEqual(['report b']);
    expect(await reportsAsked({ reports: { a: FINE, b: heldReport(), c: FINE } })).toEqual(['report b']);
  });

  it('should be named where their sources are limited, with what to allow', async () => {
    const limited: Report = { ...FINE, findings: [{ type: 'SourceLimited', message: 'allow get on persistentvolumes' }] };
    const { problems } = await diagnosis({ reports: { a: limited } });
    expect(problems).toEqual([{ kind: 'RightMissing', nodes: ['a'], message: 'the agent: allow get on persistentvolumes' }]);
  });

  it('should have libvirt as a source where its pods run, held or not', async () => {
    const owner = { kind: 'DaemonSet', name: 'libvirt', controller: true };
    const pods = [podOn({ labels: { application: 'libvirt' }, node: 'a', owner }, 'l')];
    const { problems } = await diagnosis({ reports: { a: FINE, b: FINE }, pods });
    expect(problems).toMatchObject([
      { kind: 'SourceOff', nodes: ['a'], values: LIBVIRT_ON, message: expect.stringContaining('DaemonSet libvirt in') },
    ]);
    expect((await diagnosis({ reports: { a: WITH_LIBVIRT, b: WITH_LIBVIRT }, pods })).kinds).toEqual([]);
    const ended = pods.map((pod) => ({ ...pod, status: { phase: 'Succeeded' } }));
    expect((await diagnosis({ reports: { a: FINE, b: FINE }, pods: ended })).kinds).toEqual([]);
    // Where they hold, that says it.
    const holding = [podOn({ labels: { application: 'libvirt' }, node: 'a', owner }, 'l')];
    expect((await diagnosis({ reports: { a: heldBy('l') }, pods: holding })).kinds).toEqual(['PodHolds']);
  });
});

describe('the admission policies', () => {
  it.each<readonly [string, Partial<DoctorWorld>, RegExp]>([
    ['one is gone', { policies: [policyFor('events')] }, /^no admission policy confines what agents do to nodes$/],
    ['a binding is gone', { bindings: [bindingFor('nodes')] }, /basekeeper-events is not in force: no binding names it; helm upgrade/],
    [
      'a binding only audits',
      { bindings: [bindingFor('nodes', ['Audit']), bindingFor('events')] },
      /nodes is not in force: .*\(validationActions: Audit\)/,
    ],
    [
      'failures are ignored',
      { policies: [policyFor('nodes', { failurePolicy: 'Ignore' }), policyFor('events')] },
      /its failurePolicy is Ignore/,
    ],
    [
      'an expression is refused',
      {
        policies: [policyFor('nodes', {}, { typeChecking: { expressionWarnings: [{ warning: 'undefined field' }] } }), policyFor('events')],
      },
      /cannot check one of its expressions: undefined field/,
    ],
    [
      'they are about somebody else',
      { agents: [agentOn('a', { account: 'other' })] },
      /are not about system:serviceaccount:basekeeper:other/,
    ],
  ])('should not be in force where %s', async (_what, parts, message) => {
    const { problems } = await diagnosis({ reports: { a: FINE }, ...parts });
    expect(problems.map((problem) => problem.message)).toEqual([expect.stringMatching(message)]);
  });
});

describe('Nova’s own cleaner', () => {
  const compute = { application: 'nova', component: 'compute' };
  const owner = { kind: 'DaemonSet', name: 'nova-compute', controller: true };
  const withVolumes = (...volumes: readonly object[]): DoctorWorld => ({
    reports: { a: WITH_LIBVIRT },
    mode: 'enforce',
    pods: [podOn({ namespace: 'openstack', labels: compute, owner, node: 'a', volumes }, 'nova-1')],
  });
  const map = { configMap: { name: 'nova-etc' } };
  const secret = { projected: { sources: [{ secret: { name: 'nova-etc' } }] } };
  const mapWith = (conf: string) => ({ '/api/v1/namespaces/openstack/configmaps/nova-etc': { data: { 'nova.conf': conf, other: '' } } });
  const command = 'kubectl exec --namespace openstack nova-1 --container nova-compute -- grep -rs remove_unused_base_images /etc/nova';

  it('should be off where ours is on', async () => {
    const world = { ...withVolumes(map), objects: mapWith('[DEFAULT]\ndebug = true\n') };
    const { problems } = await diagnosis(world);
    expect(problems).toMatchObject([
      { kind: 'NovaCleans', nodes: ['a'], message: expect.stringMatching(/^DaemonSet nova-compute in namespace openstack .* = False/) },
    ]);
    expect((await diagnosis({ ...world, mode: 'dry-run' })).kinds).toEqual([]);
    expect(await diagnosis({ ...world, objects: mapWith('[image_cache]\nremove_unused_base_images = False\n') })).toMatchObject({
      kinds: [],
      unknown: [],
    });
  });

  it('should be unknown where its configuration was not read, and read from Secrets where that is asked for', async () => {
    const conf = Buffer.from('[image_cache]\nremove_unused_base_images = true').toString('base64');
    const world = { ...withVolumes(secret), objects: { '/api/v1/namespaces/openstack/secrets/nova-etc': { data: { 'nova.conf': conf } } } };
    const { code, stdout, asked } = await doctor(world);
    expect(code).toBe(0);
    expect(stdout).toBe(
      `Nothing is wrong.\nUnknown: whether Nova's own cleaner is on in DaemonSet nova-compute in namespace openstack, as it is in Secret nova-etc (--secrets reads it): ${command}\n`,
    );
    expect(asked.filter((path) => path.includes('secrets'))).toEqual([]);
    expect((await diagnosis(world, ['--secrets'])).kinds).toEqual(['NovaCleans']);
  });

  it('should be unknown where the caller may not read it, or where nova-compute runs in no pod', async () => {
    const { unknown } = await diagnosis({ ...withVolumes(map), forbidden: ['get configmaps'] });
    expect(unknown).toEqual([expect.stringMatching(/ConfigMap nova-etc \(.*\): kubectl exec/)]);
    const none = await diagnosis({ reports: { a: FINE }, mode: 'enforce' });
    expect(none).toMatchObject({
      kinds: [],
      unknown: [expect.stringMatching(/at a, where nova-compute runs.* grep -rs remove_unused_base_images/)],
    });
  });
});
