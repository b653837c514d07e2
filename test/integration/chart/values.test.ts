import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alertNames, CHART, ROOT } from '../../../scripts/chart/generated.ts';
import { versionsIn } from '../../../scripts/release/release.ts';
import { at, only, render, titleOf, type Manifest } from '../../helpers/helm.ts';

const VERSION = versionsIn(ROOT)['package.json'];
const AGENT = 'spec.template.spec.containers.0';
const POD = 'spec.template.spec';

/** Values, and what they change: [kind, path in the object, what is there with these values]. Without them it must not be there already. */
type Row = readonly [title: string, values: object, kind: string, path: string, expected: unknown];

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}
interface PodSpec {
  readonly initContainers?: readonly { readonly name: string; readonly volumeMounts: readonly Mount[] }[];
  readonly containers: readonly [{ readonly volumeMounts: readonly Mount[] }];
  readonly volumes: readonly { readonly name: string }[];
}

const daemonSetRows: readonly Row[] = [
  ['image.registry', { image: { registry: 'r.example' } }, 'DaemonSet', `${AGENT}.image`, `r.example/basekeeper/basekeeper:${VERSION}`],
  ['image.repository', { image: { repository: 'x/y' } }, 'DaemonSet', `${AGENT}.image`, `ghcr.io/x/y:${VERSION}`],
  ['image.tag', { image: { tag: 'v9' } }, 'DaemonSet', `${AGENT}.image`, 'ghcr.io/basekeeper/basekeeper:v9'],
  [
    'image.digest, over the tag,',
    { image: { tag: 'v9', digest: `sha256:${'a'.repeat(64)}` } },
    'DaemonSet',
    `${AGENT}.image`,
    `ghcr.io/basekeeper/basekeeper@sha256:${'a'.repeat(64)}`,
  ],
  ['image.pullPolicy', { image: { pullPolicy: 'Always' } }, 'DaemonSet', `${AGENT}.imagePullPolicy`, 'Always'],
  [
    'global.imageRegistry, over image.registry,',
    { global: { imageRegistry: 'mirror' }, image: { registry: 'r' } },
    'DaemonSet',
    `${AGENT}.image`,
    `mirror/basekeeper/basekeeper:${VERSION}`,
  ],
  [
    'imagePullSecrets, added to the global ones,',
    { global: { imagePullSecrets: ['a'] }, imagePullSecrets: ['b', { name: 'c' }] },
    'DaemonSet',
    `${POD}.imagePullSecrets`,
    [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
  ],
  ['fullnameOverride', { fullnameOverride: 'keeper' }, 'DaemonSet', 'metadata.name', 'keeper'],
  ['nameOverride', { nameOverride: 'keeper' }, 'DaemonSet', 'metadata.labels.app\\.kubernetes\\.io/name', 'keeper'],
  ['namespaceOverride', { namespaceOverride: 'elsewhere' }, 'DaemonSet', 'metadata.namespace', 'elsewhere'],
  ['serviceAccount.name', { serviceAccount: { name: 'sa' } }, 'DaemonSet', `${POD}.serviceAccountName`, 'sa'],
  ['serviceAccount.automount', { serviceAccount: { automount: false } }, 'DaemonSet', `${POD}.automountServiceAccountToken`, false],
  ['tolerations', { tolerations: [{ key: 'a' }] }, 'DaemonSet', `${POD}.tolerations`, [{ key: 'a' }]],
  ['nodeSelector', { nodeSelector: { vm: 'yes' } }, 'DaemonSet', `${POD}.nodeSelector.vm`, 'yes'],
  ['affinity', { affinity: { nodeAffinity: { a: 1 } } }, 'DaemonSet', `${POD}.affinity`, { nodeAffinity: { a: 1 } }],
  ['priorityClassName', { priorityClassName: 'high' }, 'DaemonSet', `${POD}.priorityClassName`, 'high'],
  ['no priorityClassName', { priorityClassName: '' }, 'DaemonSet', `${POD}.priorityClassName`, undefined],
  [
    'updateStrategy',
    { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    'DaemonSet',
    'spec.updateStrategy',
    { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  ],
  ['revisionHistoryLimit', { revisionHistoryLimit: 3 }, 'DaemonSet', 'spec.revisionHistoryLimit', 3],
  ['terminationGracePeriodSeconds', { terminationGracePeriodSeconds: 60 }, 'DaemonSet', `${POD}.terminationGracePeriodSeconds`, 60],
  ['resources', { resources: { limits: { cpu: '1' } } }, 'DaemonSet', `${AGENT}.resources.limits`, { cpu: '1', memory: '128Mi' }],
  ['podSecurityContext', { podSecurityContext: { runAsUser: 42436 } }, 'DaemonSet', `${POD}.securityContext.runAsUser`, 42436],
  [
    'securityContext',
    { securityContext: { capabilities: { add: null } } },
    'DaemonSet',
    `${AGENT}.securityContext.capabilities`,
    { drop: ['ALL'] },
  ],
  ['hostUsers', { hostUsers: false }, 'DaemonSet', `${POD}.hostUsers`, false],
  ['startupProbe', { startupProbe: { failureThreshold: 9 } }, 'DaemonSet', `${AGENT}.startupProbe.failureThreshold`, 9],
  ['startupProbe off', { startupProbe: { enabled: false } }, 'DaemonSet', `${AGENT}.startupProbe`, undefined],
  ['livenessProbe', { livenessProbe: { periodSeconds: 9 } }, 'DaemonSet', `${AGENT}.livenessProbe.periodSeconds`, 9],
  ['livenessProbe off', { livenessProbe: { enabled: false } }, 'DaemonSet', `${AGENT}.livenessProbe`, undefined],
  ['readinessProbe', { readinessProbe: { timeoutSeconds: 9 } }, 'DaemonSet', `${AGENT}.readinessProbe.timeoutSeconds`, 9],
  ['readinessProbe off', { readinessProbe: { enabled: false } }, 'DaemonSet', `${AGENT}.readinessProbe`, undefined],
  ['podLabels', { podLabels: { a: 'b' } }, 'DaemonSet', 'spec.template.metadata.labels.a', 'b'],
  ['podAnnotations', { podAnnotations: { a: 'b' } }, 'DaemonSet', 'spec.template.metadata.annotations.a', 'b'],
  ['commonLabels', { commonLabels: { a: 'b' } }, 'DaemonSet', 'metadata.labels.a', 'b'],
  ['extraEnv', { extraEnv: [{ name: 'A', value: 'b' }] }, 'DaemonSet', `${AGENT}.env.3`, { name: 'A', value: 'b' }],
  ['extraArgs', { extraArgs: ['--more'] }, 'DaemonSet', `${AGENT}.args.2`, '--more'],
  ['extraVolumes', { extraVolumes: [{ name: 'v', emptyDir: {} }] }, 'DaemonSet', `${POD}.volumes.4`, { name: 'v', emptyDir: {} }],
  [
    'extraVolumeMounts',
    { extraVolumeMounts: [{ name: 'v', mountPath: '/v' }] },
    'DaemonSet',
    `${AGENT}.volumeMounts.4`,
    { name: 'v', mountPath: '/v' },
  ],
  [
    'initContainers, with template expressions,',
    { initContainers: [{ name: 'i', image: '{{ include "basekeeper.image" . }}' }] },
    'DaemonSet',
    `${POD}.initContainers`,
    [{ name: 'i', image: `ghcr.io/basekeeper/basekeeper:${VERSION}` }],
  ],
  ['config.http.port', { config: { http: { port: 19817 } } }, 'DaemonSet', `${AGENT}.ports.0.containerPort`, 19817],
  ['config.http.pagesPort', { config: { http: { pagesPort: 19818 } } }, 'DaemonSet', `${AGENT}.ports.1.containerPort`, 19818],
  ['tls.secretName', { tls: { secretName: 't' } }, 'DaemonSet', `${AGENT}.readinessProbe.httpGet.scheme`, 'HTTPS'],
  ['config.instancesPath', { config: { instancesPath: '/srv/nova' } }, 'DaemonSet', `${POD}.volumes.1.hostPath.path`, '/srv/nova'],
  [
    'config.hostInstancesPath',
    { config: { hostInstancesPath: '/mnt/nova' } },
    'DaemonSet',
    `${POD}.volumes.2.hostPath.path`,
    '/mnt/nova/_base',
  ],
  [
    'config.subdirectoryName',
    { config: { subdirectoryName: 'cache' } },
    'DaemonSet',
    `${AGENT}.volumeMounts.2.mountPath`,
    '/var/lib/nova/instances/cache',
  ],
  ['config.locksPath', { config: { locksPath: '/run/nova-locks' } }, 'DaemonSet', `${AGENT}.volumeMounts.3.mountPath`, '/run/nova-locks'],
];

const otherRows: readonly Row[] = [
  ['serviceAccount.annotations', { serviceAccount: { annotations: { a: 'b' } } }, 'ServiceAccount', 'metadata.annotations', { a: 'b' }],
  [
    'rbac.extraRules',
    { rbac: { extraRules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] } },
    'ClusterRole',
    'rules.5',
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
  ],
  ['service.port', { service: { port: 80 } }, 'Service', 'spec.ports.0.port', 80],
  ['service.annotations', { service: { annotations: { a: 'b' } } }, 'Service', 'metadata.annotations', { a: 'b' }],
  [
    'networkPolicy.ingressFrom',
    { networkPolicy: { ingressFrom: [{ podSelector: {} }] } },
    'NetworkPolicy',
    'spec.ingress.0.from.1',
    { podSelector: {} },
  ],
  ['networkPolicy.dns', { networkPolicy: { dns: [{ podSelector: {} }] } }, 'NetworkPolicy', 'spec.egress.0.to', [{ podSelector: {} }]],
  [
    'networkPolicy.apiServerAddresses',
    { networkPolicy: { apiServerAddresses: ['192.0.2.1/32'] } },
    'NetworkPolicy',
    'spec.egress.1.to',
    [{ ipBlock: { cidr: '192.0.2.1/32' } }],
  ],
  [
    'networkPolicy.apiServerPorts',
    { networkPolicy: { apiServerPorts: [16443] } },
    'NetworkPolicy',
    'spec.egress.1.ports',
    [{ port: 16443, protocol: 'TCP' }],
  ],
  ['networkPolicy.extraIngress', { networkPolicy: { extraIngress: [{ from: [] }] } }, 'NetworkPolicy', 'spec.ingress.1', { from: [] }],
  ['networkPolicy.extraEgress', { networkPolicy: { extraEgress: [{ to: [] }] } }, 'NetworkPolicy', 'spec.egress.2', { to: [] }],
  ['cleanup.activeDeadlineSeconds', { cleanup: { activeDeadlineSeconds: 7 } }, 'Job', 'spec.activeDeadlineSeconds', 7],
  ['cleanup.resources', { cleanup: { resources: { limits: { memory: '1Gi' } } } }, 'Job', `${AGENT}.resources.limits.memory`, '1Gi'],
  ['commonLabels, on every object,', { commonLabels: { a: 'b' } }, 'NetworkPolicy', 'metadata.labels.a', 'b'],
];

/** The agent's own object of a kind that the clean-up hook has as well. */
function find(manifests: readonly Manifest[], kind: string): Manifest {
  const own = manifests.filter((manifest) => manifest.metadata.annotations?.['helm.sh/hook'] === undefined);
  return only(own.some((manifest) => manifest.kind === kind) ? own : manifests, kind);
}

describe('values of the chart', () => {
  it.each([...daemonSetRows, ...otherRows])('should let %s change what it names', async (_title, values, kind, path, expected) => {
    expect(at(find(await render(), kind), path)).not.toEqual(expected);
    expect(at(find(await render(values), kind), path)).toEqual(expected);
  });

  it('should render the configuration into the ConfigMap as it is given, with the names of the service', async () => {
    const config = { mode: 'enforce', maxRemovalsPerPass: 5, pins: { fileNames: ['swap_*'] }, exemptPods: [{ namespace: 'backup' }] };
    const map = only(await render({ config }), 'ConfigMap');
    expect(parse(at(map, 'data.config\\.yaml') as string)).toEqual({
      ...config,
      instancesPath: '/var/lib/nova/instances',
      subdirectoryName: '_base',
      http: {
        port: 9817,
        pagesPort: 9818,
        hostNames: ['basekeeper', 'basekeeper.basekeeper', 'basekeeper.basekeeper.svc', 'basekeeper.basekeeper.svc.cluster.local'],
      },
    });
  });

  it('should restart the pods when the configuration changes, and only then', async () => {
    const checksum = async (values: object) =>
      at(only(await render(values), 'DaemonSet'), 'spec.template.metadata.annotations.checksum/config');
    expect(await checksum({ config: { mode: 'enforce' } })).not.toBe(await checksum({}));
    expect(await checksum({ service: { port: 80 } })).toBe(await checksum({}));
  });

  it.each([
    ['256Mi', 153],
    ['1Gi', 614],
    ['1G', 572],
    [268_435_456, 153],
    ['262144Ki', 153],
    ['20Mi', 16],
  ])('should derive the heap limit from a memory limit of %s', async (memory, mebibytes) => {
    const env = at(only(await render({ resources: { limits: { memory } } }), 'DaemonSet'), `${AGENT}.env`);
    expect(env).toContainEqual({ name: 'NODE_OPTIONS', value: `--max-semi-space-size=1 --max-old-space-size=${mebibytes}` });
  });

  it('should leave the heap to Node.js when there is no memory limit, and NODE_OPTIONS to anyone who sets them', async () => {
    const env = async (values: object) => at(only(await render(values), 'DaemonSet'), `${AGENT}.env`);
    expect(await env({ resources: { limits: null } })).toContainEqual({ name: 'NODE_OPTIONS', value: '--max-semi-space-size=1' });
    const own = { name: 'NODE_OPTIONS', value: '--max-old-space-size=99' };
    expect(((await env({ extraEnv: [own] })) as { name: string }[]).filter(({ name }) => name === 'NODE_OPTIONS')).toEqual([own]);
  });

  it.each([
    ['ServiceAccount', { serviceAccount: { create: false }, cleanup: { enabled: false } }],
    ['ClusterRole', { rbac: { create: false }, cleanup: { enabled: false } }],
    ['ClusterRoleBinding', { rbac: { create: false }, cleanup: { enabled: false } }],
    ['ValidatingAdmissionPolicy', { admissionPolicy: { enabled: false } }],
    ['ValidatingAdmissionPolicyBinding', { admissionPolicy: { enabled: false } }],
    ['Service', { service: { enabled: false } }],
    ['NetworkPolicy', { networkPolicy: { enabled: false } }],
    ['Job', { cleanup: { enabled: false } }],
  ])('should leave out the %s when it is switched off', async (kind, values) => {
    expect((await render()).map((manifest) => manifest.kind)).toContain(kind);
    expect((await render(values)).map((manifest) => manifest.kind)).not.toContain(kind);
  });

  it('should grant each right only while the configuration has a use for it', async () => {
    const rules = async (config: object) =>
      at(find(await render({ config }), 'ClusterRole'), 'rules') as { resources: string[]; verbs: string[] }[];
    const granted = async (config: object) =>
      (await rules(config)).map((manifest) => `${manifest.resources.join()} ${manifest.verbs.join()}`);
    expect(await granted({})).toEqual([
      'nodes list,watch,patch',
      'pods list,watch',
      'persistentvolumeclaims,persistentvolumes get',
      'virtualmachineinstances list,watch',
      'events create,patch',
    ]);
    const volumes = { sources: { pods: { persistentVolumes: false } } };
    expect(await granted(volumes)).not.toContain('persistentvolumeclaims,persistentvolumes get');
    expect(await granted({ annotations: false, events: false, sources: { pods: { enabled: false } } })).toEqual([
      'nodes list,watch',
      'virtualmachineinstances list,watch',
    ]);
    expect(await granted({ sources: { virtualMachineInstances: { enabled: false } } })).not.toContain('virtualmachineinstances list,watch');
  });

  it('should let the agent read what its rules read: everywhere, or where a rule has a namespace', async () => {
    const fields = { imageRef: [{ path: '.a' }] };
    const rule = (name: string, apiVersion: string, kind: string, more: object = {}) => ({ name, apiVersion, kind, fields, ...more });
    const rules = [
      rule('a', 'vm.example.com/v1alpha1', 'VirtualMachine'),
      rule('b', 'example.com/v1', 'Proxy'),
      rule('c', 'example.com/v1', 'Chassis'),
      rule('d', 'example.com/v1', 'Datum', { resource: 'data' }),
      rule('e', 'v1', 'Pod', { namespace: 'vms' }),
      rule('f', 'v1', 'Pod', { namespace: 'vms' }),
    ];
    const manifests = await render({ config: { sources: { pods: { enabled: false }, rules } } });
    const granted = (kind: string) => at(find(manifests, kind), 'rules') as { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    const inCluster = granted('ClusterRole').filter(({ apiGroups }) => apiGroups.some((group) => group.includes('example.com')));
    expect(inCluster.map(({ apiGroups, resources, verbs }) => `${resources.join()}.${apiGroups.join()} ${verbs.join()}`)).toEqual([
      'virtualmachines.vm.example.com list,watch',
      'proxies.example.com list,watch',
      'chassises.example.com list,watch',
      'data.example.com list,watch',
    ]);
    expect(granted('ClusterRole').flatMap(({ resources }) => resources)).not.toContain('pods');
    expect(only(manifests, 'Role').metadata.namespace).toBe('vms');
    expect(granted('Role')).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
    expect(only(manifests, 'RoleBinding').metadata.namespace).toBe('vms');
  });

  it('should let events be written in the namespaces of VMs and in "default" only, when they are named', async () => {
    const manifests = await render({ rbac: { vmNamespaces: ['vms', 'default'] } });
    expect(at(find(manifests, 'ClusterRole'), 'rules')).not.toContainEqual(expect.objectContaining({ resources: ['events'] }));
    const roles = manifests.filter(({ kind }) => kind === 'Role');
    expect(roles.map((manifest) => manifest.metadata.namespace)).toEqual(['default', 'vms']);
    for (const role of roles)
      expect(role['rules']).toEqual([{ apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] }]);
    expect(manifests.filter(({ kind }) => kind === 'RoleBinding').map((manifest) => manifest.metadata.namespace)).toEqual([
      'default',
      'vms',
    ]);
  });

  it('should mount libvirt’s files, read-only, only while they are a source', async () => {
    const mounts = async (libvirt: object) =>
      (at(only(await render({ config: { sources: { libvirt } } }), 'DaemonSet'), `${AGENT}.volumeMounts`) as { name: string }[]).filter(
        ({ name }) => name.startsWith('libvirt'),
      );
    expect(await mounts({ enabled: false })).toEqual([]);
    expect(await mounts({ enabled: true, statusPath: '/var/run/libvirt/qemu' })).toEqual([
      { name: 'libvirt-status', mountPath: '/var/run/libvirt/qemu', readOnly: true },
      { name: 'libvirt-definitions', mountPath: '/etc/libvirt/qemu', readOnly: true },
    ]);
  });

  it('should let an init container make missing directories, and the agent write to no more than without it', async () => {
    const agentOf = async (values: object) => at(only(await render(values), 'DaemonSet'), POD) as PodSpec;
    const createDirectories = { enabled: true };
    const pod = await agentOf({ createDirectories, initContainers: [{ name: 'more' }] });
    const places = (mounts: readonly Mount[]) => mounts.map(({ mountPath, readOnly }) => `${mountPath} ${readOnly === true}`).toSorted();
    expect(places(pod.containers[0].volumeMounts)).toEqual(places((await agentOf({})).containers[0].volumeMounts));
    // A host path of its own would have to be there before the init container runs.
    expect(pod.volumes.map(({ name }) => name)).toEqual(['config', 'instances']);
    expect(pod.initContainers?.map(({ name }) => name)).toEqual(['directories', 'more']);
    const [directories] = pod.initContainers ?? [];
    expect(directories).toMatchObject({ args: ['prepare', '--config=/etc/basekeeper/config.yaml'] });
    expect(at(directories, 'securityContext')).toEqual(at(pod.containers[0], 'securityContext'));
  });

  it("should mount Nova's own lock directory wherever the configuration has it in the pod, by its path on the host", async () => {
    const config = { hostInstancesPath: '/srv/kolla/nova/instances', locksPath: '/var/lib/nova/instances/locks' };
    const pod = at(only(await render({ config }), 'DaemonSet'), POD) as PodSpec;
    expect(pod.volumes).toContainEqual({ name: 'locks', hostPath: { path: '/srv/kolla/nova/instances/locks', type: 'Directory' } });
    expect(pod.containers[0].volumeMounts).toContainEqual({ name: 'locks', mountPath: '/var/lib/nova/instances/locks' });
  });

  it('should see what the host mounts below the instances path later', async () => {
    for (const createDirectories of [{}, { enabled: true }]) {
      const mounts = at(only(await render({ createDirectories }), 'DaemonSet'), `${AGENT}.volumeMounts`) as readonly Mount[];
      const instances = mounts.find(({ mountPath }) => mountPath === '/var/lib/nova/instances');
      expect(instances).toEqual({
        name: 'instances',
        mountPath: '/var/lib/nova/instances',
        readOnly: true,
        mountPropagation: 'HostToContainer',
      });
    }
  });

  it('should leave a lock directory that is elsewhere to anyone who has made it', async () => {
    const values = { createDirectories: { enabled: true }, config: { locksPath: '/run/nova-locks' } };
    const pod = at(only(await render(values), 'DaemonSet'), POD) as PodSpec;
    expect(pod.volumes).toContainEqual({ name: 'locks', hostPath: { path: '/var/lib/nova/instances/locks', type: 'Directory' } });
    expect(pod.initContainers?.[0]?.volumeMounts).toContainEqual({ name: 'locks', mountPath: '/run/nova-locks' });
    expect(pod.containers[0].volumeMounts).toContainEqual({ name: 'locks', mountPath: '/run/nova-locks' });
  });

  it('should mount compute_nodes writable only while shared storage is on', async () => {
    const writable = async (values: object) => {
      const mounts = at(only(await render(values), 'DaemonSet'), `${AGENT}.volumeMounts`) as readonly Mount[];
      return mounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath.replace('/var/lib/nova/instances/', ''));
    };
    expect(await writable({})).toEqual(['_base', 'locks']);
    const config = { sharedStorage: { enabled: true } };
    expect(await writable({ config })).toEqual(['_base', 'locks', 'compute_nodes']);
    expect(await writable({ config, createDirectories: { enabled: true } })).toEqual(['_base', 'locks', 'compute_nodes']);
    const pod = at(only(await render({ config }), 'DaemonSet'), POD) as PodSpec;
    expect(pod.volumes).toContainEqual({
      name: 'compute-nodes',
      hostPath: { path: '/var/lib/nova/instances/compute_nodes', type: 'File' },
    });
    const prepared = at(only(await render({ config, createDirectories: { enabled: true } }), 'DaemonSet'), POD) as PodSpec;
    expect(prepared.volumes.map(({ name }) => name)).toEqual(['config', 'instances']);
  });

  it.each(['podMonitor', 'serviceMonitor'])('should let every setting of monitoring.%s change the monitor', async (key) => {
    const settings = {
      enabled: true,
      namespace: 'monitoring',
      labels: { release: 'p' },
      interval: '1m',
      scrapeTimeout: '20s',
      tlsConfig: { serverName: 's' },
      authorization: { credentials: { name: 'token', key: 'token' } },
      relabelings: [{ targetLabel: 'a' }],
      metricRelabelings: [{ action: 'drop' }],
      sampleLimit: 1,
      labelLimit: 2,
      targetLimit: 3,
    };
    const kind = key === 'podMonitor' ? 'PodMonitor' : 'ServiceMonitor';
    expect((await render()).map((manifest) => manifest.kind)).not.toContain(kind);
    const monitor = only(await render({ monitoring: { [key]: settings }, tls: { secretName: 't' } }), kind);
    expect(monitor.metadata).toMatchObject({ namespace: 'monitoring', labels: { release: 'p' } });
    expect(monitor['spec']).toMatchObject({
      sampleLimit: 1,
      labelLimit: 2,
      targetLimit: 3,
      namespaceSelector: { matchNames: ['basekeeper'] },
    });
    expect(at(monitor, key === 'podMonitor' ? 'spec.podMetricsEndpoints' : 'spec.endpoints')).toEqual([
      {
        port: 'http',
        path: '/metrics',
        interval: '1m',
        scrapeTimeout: '20s',
        scheme: 'https',
        tlsConfig: { serverName: 's' },
        authorization: { credentials: { name: 'token', key: 'token' } },
        relabelings: [{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }, { targetLabel: 'a' }],
        metricRelabelings: [{ action: 'drop' }],
      },
    ]);
  });
});

describe('alerts of the chart', () => {
  const rules = async (prometheusRule: object) =>
    at(
      only(await render({ monitoring: { prometheusRule: { enabled: true, ...prometheusRule } } }), 'PrometheusRule'),
      'spec.groups.0.rules',
    ) as {
      alert: string;
      expr: string;
      for?: string;
      labels: Record<string, string>;
      annotations: Record<string, string>;
    }[];

  it('should all be there by default, each with a threshold in place of every placeholder', async () => {
    const all = await rules({});
    expect(all.map(({ alert }) => alert)).toEqual(alertNames());
    for (const { expr, alert } of all) expect(expr, alert).not.toContain('$');
  });

  it.each(alertNames())('should let %s be switched off, delayed, graded and labelled on its own', async (name) => {
    const others = alertNames().filter((other) => other !== name);
    expect((await rules({ alerts: { [name]: { enabled: false } } })).map(({ alert }) => alert)).toEqual(others);
    const changed = await rules({
      alertLabels: { team: 'x' },
      runbookUrl: 'https://example.com/r',
      alerts: { [name]: { for: '99m', severity: 'critical' } },
    });
    const alert = changed.find((manifest) => manifest.alert === name);
    expect(alert).toMatchObject({ for: '99m', labels: { severity: 'critical', team: 'x' } });
    expect(alert?.annotations['runbook_url']).toBe(`https://example.com/r#${name.toLowerCase()}`);
  });

  it('should be where Prometheus looks for them, by namespace and labels', async () => {
    const settings = { enabled: true, namespace: 'monitoring', labels: { release: 'prometheus' } };
    const { metadata } = only(await render({ monitoring: { prometheusRule: settings } }), 'PrometheusRule');
    expect(metadata).toMatchObject({ namespace: 'monitoring', labels: { release: 'prometheus' } });
    expect((await render()).map(({ kind }) => kind)).not.toContain('PrometheusRule');
  });

  it('should compare with the threshold that the values give', async () => {
    const all = await rules({ alerts: { BasekeeperPassOverdue: { threshold: 7_200_000 } } });
    expect(all.find(({ alert }) => alert === 'BasekeeperPassOverdue')?.expr).toContain('> 7200000\n');
  });
});

describe('dashboards of the chart', () => {
  const withDashboard = async (values: object): Promise<Manifest[]> => {
    const directory = await mkdtemp(join(tmpdir(), 'basekeeper-chart-'));
    try {
      await cp(CHART, directory, { recursive: true, filter: (source) => !source.endsWith('.json') || !source.includes('dashboards') });
      await mkdir(join(directory, 'dashboards'), { recursive: true });
      await writeFile(join(directory, 'dashboards', 'one.json'), '{"title": "One {{ label }}"}');
      return await render(values, { chart: directory });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };

  it('should be ConfigMaps with the label that Grafana’s sidecar looks for', async () => {
    const sidecar = { enabled: true, namespace: 'grafana', label: 'board', labelValue: 'yes', annotations: { folder: 'F' } };
    const map = only(await withDashboard({ dashboards: { sidecar } }), 'ConfigMap', 'basekeeper-one');
    expect(map.metadata).toMatchObject({ namespace: 'grafana', labels: { board: 'yes' }, annotations: { folder: 'F' } });
    expect(map['data']).toEqual({ 'one.json': '{"title": "One {{ label }}"}' });
  });

  it('should be GrafanaDashboards for the Grafana operator', async () => {
    const operator = {
      enabled: true,
      namespace: 'g',
      instanceSelector: { matchLabels: { a: 'b' } },
      folder: 'F',
      allowCrossNamespaceImport: false,
    };
    const dashboard = only(await withDashboard({ dashboards: { operator } }), 'GrafanaDashboard');
    expect(dashboard.metadata).toMatchObject({ name: 'basekeeper-one', namespace: 'g' });
    expect(dashboard['spec']).toEqual({
      instanceSelector: { matchLabels: { dashboards: 'grafana', a: 'b' } },
      allowCrossNamespaceImport: false,
      folder: 'F',
      json: '{"title": "One {{ label }}"}',
    });
  });

  it('should not be there by default', async () => {
    expect((await withDashboard({})).map(titleOf)).not.toContain('ConfigMap basekeeper-one');
  });
});

describe('extra manifests', () => {
  it('should be rendered from objects and from text, with template expressions', async () => {
    const manifests = await render({
      extraManifests: [
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: '{{ .Release.Name }}-a' } },
        'apiVersion: v1\nkind: Secret\nmetadata: {name: {{ .Release.Name }}-b}',
      ],
    });
    expect(manifests.filter(({ kind }) => kind === 'Secret').map((manifest) => manifest.metadata.name)).toEqual([
      'basekeeper-a',
      'basekeeper-b',
    ]);
  });
});
