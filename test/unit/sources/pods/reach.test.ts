import { describe, expect, it } from 'vitest';
import { mapPod, type PodRecord, type PodRules } from '../../../../src/sources/pods/map-pod.ts';
import { POD_RULES } from '../../../helpers/kube-objects.ts';

const INSTANCES = '/var/lib/nova/instances';
const RULES: PodRules = { ...POD_RULES, instancesPath: INSTANCES, ownNamespace: 'basekeeper', resolveLaunchers: true };
const EMPTY = { 'basekeeper.io/image-ref': '' };

interface Parts {
  readonly path: string;
  readonly mount?: object;
  readonly kind?: 'containers' | 'initContainers' | 'ephemeralContainers';
  readonly labels?: object;
  readonly annotations?: object;
  readonly status?: object | undefined;
}

function map({ path, mount = {}, kind = 'containers', labels = {}, annotations, status }: Parts, rules: Partial<PodRules> = {}) {
  const volumeMounts = [{ name: 'v', mountPath: '/v', ...mount }];
  const spec = { volumes: [{ name: 'v', hostPath: { path } }], [kind]: [{ name: 'c', volumeMounts }] };
  return mapPod({ metadata: { name: 'p', namespace: 'n', uid: 'u', labels, annotations }, spec, status }, { ...RULES, ...rules });
}

const holds = (record: PodRecord | undefined): boolean => (record?.gaps.length ?? 0) > 0;

describe('a mount', () => {
  it.each(['containers', 'initContainers', 'ephemeralContainers'] as const)('should count in %s', (kind) => {
    expect(holds(map({ path: INSTANCES, kind }))).toBe(true);
  });

  it('should not count when no container has it', () => {
    expect(holds(map({ path: INSTANCES, mount: { name: 'another' } }))).toBe(false);
  });

  it.each([
    ['/', { subPath: 'var/lib/nova/instances' }, true],
    ['/', { subPath: 'var/lib/nova/instances', readOnly: true }, true],
    ['/', { subPath: 'etc' }, false],
    ['/var', { subPath: 'log/../lib/nova' }, true],
    ['/', { subPathExpr: 'etc' }, false],
    ['/', { subPathExpr: '$(NAME)' }, true],
    ['/', { subPathExpr: '$(NAME)', readOnly: true }, true],
    ['/etc', { subPathExpr: '$(NAME)' }, false],
    [INSTANCES, { subPathExpr: '$(NAME)' }, true],
    ['/', { subPath: 5, readOnly: true }, true],
  ])('of %s with %j should hold: %s', (path, mount, expected) => {
    expect(holds(map({ path, mount }))).toBe(expected);
  });

  it.each([
    ['/', { readOnly: true }, false],
    ['/var', { readOnly: true, mountPropagation: 'HostToContainer' }, false],
    ['/var/lib', { readOnly: true }, false],
    ['/', { readOnly: true, mountPropagation: 'Bidirectional' }, true],
    ['/', { readOnly: 'true' }, true],
    ['/var/lib/nova', { readOnly: true }, true],
    [INSTANCES, { readOnly: true }, true],
    [`${INSTANCES}/_base`, { readOnly: true }, true],
    ['not/absolute', { readOnly: true }, true],
  ])('of %s with %j, which only reads, should hold: %s', (path, mount, expected) => {
    expect(holds(map({ path, mount }))).toBe(expected);
  });

  it('should hold though it only reads / when that is the parent of the instances path', () => {
    expect(holds(map({ path: '/srv', mount: { readOnly: true } }, { instancesPath: '/srv/instances' }))).toBe(true);
    expect(holds(map({ path: '/', mount: { readOnly: true } }, { instancesPath: '/instances' }))).toBe(false);
  });
});

describe('a pod that has ended', () => {
  const running = { state: { running: {} } };
  const ended = { state: { terminated: {} } };

  it.each([
    [{ phase: 'Succeeded' }, false],
    [{ phase: 'Failed', containerStatuses: [ended] }, false],
    [{ phase: 'Failed', containerStatuses: [ended, running] }, true],
    [{ phase: 'Failed', ephemeralContainerStatuses: [running] }, true],
    [{ phase: 'Succeeded', initContainerStatuses: [running] }, true],
    [{ phase: 'Running', containerStatuses: [ended] }, true],
    [{ phase: 'Unknown' }, true],
    [undefined, true],
  ])('should hold with the status %j: %s', (status, expected) => {
    expect(holds(map({ path: INSTANCES, status }))).toBe(expected);
  });

  it('should still protect the images that it names', () => {
    const record = map({ path: INSTANCES, annotations: { 'basekeeper.io/image-ref': 'a' }, status: { phase: 'Succeeded' } });
    expect(record?.workload?.images).toHaveLength(1);
  });
});

describe('a known agent', () => {
  const knownAgents = [
    { name: 'agent', selector: { matchLabels: { app: 'agent' }, matchExpressions: [] }, hostPaths: ['/', '/var/lib/nova', INSTANCES] },
  ];
  const labels = { app: 'agent' };

  it('should mount / writable', () => {
    expect(holds(map({ path: '/', labels }, { knownAgents }))).toBe(false);
  });

  it.each([
    ['another directory', '/var', labels],
    ['the instances path, whatever the list says', INSTANCES, labels],
    ['its parent', '/var/lib/nova', labels],
    ['without its labels', '/', { app: 'another' }],
  ])('should be nobody special with %s', (_what, path, given) => {
    expect(holds(map({ path, labels: given }, { knownAgents }))).toBe(true);
  });
});

describe('annotations', () => {
  const pod = { metadata: { name: 'p', namespace: 'n', uid: 'u', labels: { app: 'vm' }, annotations: { 'basekeeper.io/image-rex': 'a' } } };

  it('should not be believed where the pod cannot reach the instances path', () => {
    expect(mapPod(pod, RULES)).toBeUndefined();
    expect(map({ path: '/etc', annotations: { 'basekeeper.io/image-rex': 'a' } })).toBeUndefined();
  });

  it('should be believed where a selector names the pod', () => {
    expect(mapPod(pod, { ...RULES, selector: { matchLabels: { app: 'vm' }, matchExpressions: [] } })?.gaps).toHaveLength(1);
  });

  it.each([
    ['reads /', { path: '/', mount: { readOnly: true } }, undefined],
    ['reads the instances path', { path: INSTANCES, mount: { readOnly: true } }, undefined],
    ['may write to /', { path: '/' }, undefined],
    ['may write to the instances path', { path: INSTANCES }, 'n/p'],
    ['may write to the parent of the instances path', { path: '/var/lib/nova' }, 'n/p'],
  ])('that name no image should make a VM only of what can write there: %s', (_what, parts, name) => {
    const record = map({ ...parts, annotations: EMPTY });
    expect([record?.workload?.name, record?.gaps.length ?? 0]).toEqual([name, 0]);
  });
});

describe('the advice', () => {
  it('should be the value to paste, without labels that change', () => {
    const labels = { app: 'x', 'pod-template-hash': '1', 'controller-revision-hash': '2', 'batch.kubernetes.io/job-name': 'j' };
    const [gap] = map({ path: '/', labels })?.gaps ?? [];
    expect(gap?.message).toMatch(/^Pod n\/p: it mounts "\/", but no rule says .* in exemptPods\. If it runs no VM: /);
    const yaml = gap?.message.slice(gap.message.indexOf('{')) ?? '';
    expect(JSON.parse(yaml)).toEqual({ config: { exemptPods: [{ namespace: 'n', selector: { matchLabels: { app: 'x' } } }] } });
  });

  it('should be an annotation where no label tells the pod from others of its namespace', () => {
    expect(map({ path: '/' })?.gaps[0]?.message).toContain("kubectl annotate pod --namespace n p 'basekeeper.io/image-ref='");
  });
});
