import { anything, assert, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRule, isSelected } from '../../../../src/sources/rules/map-object.ts';
import type { ValueRule, WorkloadRule } from '../../../../src/model/workload-rule.ts';
import { selectorQuery } from '../../../../src/model/label-selector.ts';

const from = (path: string, more: Partial<ValueRule> = {}): ValueRule => ({ path, optional: false, ...more });

function rule(parts: Partial<WorkloadRule> = {}): WorkloadRule {
  const nodeFrom = [from('{.status.node}'), from('{.status.target}')];
  return { name: 'vms', apiVersion: 'vm.example.com/v1', kind: 'VirtualMachine', nodeFrom, fields: {}, ...parts };
}

function vm(parts: { spec?: object; status?: object; labels?: object } = {}) {
  const metadata = { name: 'vm-a', namespace: 'vms', uid: 'u-1', labels: parts.labels ?? {} };
  return { apiVersion: 'vm.example.com/v1', kind: 'VirtualMachine', metadata, spec: parts.spec ?? {}, status: parts.status ?? {} };
}

const read = (fields: WorkloadRule['fields'], object: unknown = vm()) => compileRule(rule({ fields }), 'node-1')(object);
const problemsOf = (fields: WorkloadRule['fields'], object?: unknown) => read(fields, object)?.gaps.map(({ message }) => message);

describe('a rule', () => {
  it('should fill every field of a workload', () => {
    const spec = { image: 'i', kernel: 'k', ramdisk: 'r', swap: 512, disks: [20, '30:ext4'], dir: '5f0e', files: ['/var/lib//x/'] };
    const record = read(
      {
        instance: [from('.spec.dir')],
        imageRef: [from('.spec.image'), { value: 'always', optional: false }],
        kernelId: [from('.spec.kernel')],
        ramdiskId: [from('.spec.ramdisk')],
        swapMb: [from('.spec.swap')],
        ephemeral: [from('.spec.disks[*]')],
        path: [from('.spec.files[*]')],
      },
      vm({ spec }),
    );
    expect(record?.gaps).toEqual([]);
    expect(record?.workload).toEqual({
      source: 'rules/vms',
      name: 'vms/vm-a',
      object: { apiVersion: 'vm.example.com/v1', kind: 'VirtualMachine', namespace: 'vms', name: 'vm-a', uid: 'u-1' },
      instanceNames: ['5f0e', 'vm-a', 'u-1'],
      resizing: true,
      images: [
        { role: 'image', ref: 'i' },
        { role: 'image', ref: 'always' },
        { role: 'kernel', ref: 'k' },
        { role: 'ramdisk', ref: 'r' },
      ],
      swapMb: [512],
      ephemeral: [{ sizeGb: 20 }, { sizeGb: 30, filesystem: 'ext4' }],
      paths: ['/var/lib/x'],
    });
  });

  it('should take from a text the part that its pattern names', () => {
    const imageRef = [from('.spec.image', { match: 'glance://(.+)' })];
    expect(read({ imageRef }, vm({ spec: { image: 'glance://4bd1' } }))?.workload.images).toEqual([{ role: 'image', ref: '4bd1' }]);
  });

  it.each([
    ['an object for an image', { imageRef: [from('.spec')] }, 'imageRef: .spec yields an object, expected text or a number'],
    ['a list for an image', { imageRef: [from('.spec.list')] }, 'imageRef: .spec.list yields a list, expected text or a number'],
    ['true for a size', { swapMb: [from('.spec.yes')] }, 'swapMb: .spec.yes yields true, expected text or a number'],
    ['a number for an image', { imageRef: [from('.spec.number')] }, 'imageRef: 7.5 is not text'],
    ['half a MB', { swapMb: [from('.spec.number')] }, 'swapMb: 7.5 is not a whole number of MB'],
    ['a relative path', { path: [from('.spec.text')] }, 'path: "a/b" is not an absolute path'],
    [
      'a path for a directory name',
      { instance: [from('.spec.text')] },
      'instance: "a/b" is not the name of a directory below the instances path',
    ],
    [
      'an invalid size',
      { ephemeral: [from('.spec.text')] },
      'ephemeral: "a/b" is not a whole number of GB, with or without a file system, such as 20:ext4',
    ],
    [
      'what does not match',
      { imageRef: [from('.spec.text', { match: 'x' })] },
      'imageRef: .spec.text yields "a/b", which does not match x',
    ],
    ['what is not there', { imageRef: [from('.spec.none')] }, 'imageRef: .spec.none yields nothing'],
    ['null', { imageRef: [from('.spec.nil')] }, 'imageRef: .spec.nil yields nothing'],
    ['an endless text', { imageRef: [from('.spec.long')] }, 'imageRef: .spec.long yields a text of more than 4096 characters'],
  ])('should report %s as a gap of that object', (_what, fields, problem) => {
    const object = vm({ spec: { list: [1], yes: true, number: 7.5, text: 'a/b', nil: null, long: 'x'.repeat(5000) } });
    expect(problemsOf(fields, object)).toEqual([`VirtualMachine vms/vm-a: ${problem}`]);
  });

  it('should skip what is optional and not there or not matching, but no wrong type', () => {
    const object = vm({ spec: { text: 'volume:1', list: [[]] } });
    const optional = (path: string) => [from(path, { optional: true, match: 'image:(.+)' })];
    expect(problemsOf({ imageRef: optional('.spec.none'), kernelId: optional('.spec.text') }, object)).toEqual([]);
    expect(problemsOf({ imageRef: optional('.spec.list[*]') }, object)).toHaveLength(1);
  });

  it('should take an empty text for "none"', () => {
    const record = read({ imageRef: [from('.spec.image')], path: [from('.spec.image')] }, vm({ spec: { image: '' } }));
    expect([record?.workload.images, record?.workload.paths, record?.gaps]).toEqual([[], [], []]);
  });

  it.each([
    ['runs here', { node: 'node-1' }, true],
    ['runs elsewhere', { node: 'node-2' }, false],
    ['migrates hither', { node: 'node-2', target: 'node-1' }, true],
    ['has no node', {}, true],
    ['has an empty node', { node: '' }, true],
    ['has a node that is not a name', { node: { name: 'node-2' } }, true],
  ])('should protect a VM that %s: %j', (_what, status, here) => {
    expect(read({}, vm({ status })) !== undefined).toBe(here);
  });

  it('should tell a node that is not a name as a gap', () => {
    expect(problemsOf({}, vm({ status: { node: ['node-2'] } }))).toEqual([
      'VirtualMachine vms/vm-a: nodeFrom: {.status.node} yields a list, expected text or a number',
    ]);
  });

  it('should protect on every node without nodeFrom', () => {
    expect(compileRule(rule({ nodeFrom: [] }), 'node-9')(vm({ status: { node: 'node-1' } }))).toBeDefined();
  });

  it('should select by kind, namespace and labels', () => {
    const selector = { matchLabels: { app: 'vm' } };
    const labelled = vm({ labels: { app: 'vm' } });
    expect(isSelected(rule({ selector, namespace: 'vms' }), labelled)).toBe(true);
    expect(isSelected(rule({ selector }), vm())).toBe(false);
    expect(isSelected(rule({ namespace: 'other' }), labelled)).toBe(false);
    expect(isSelected(rule({ kind: 'Pod' }), labelled)).toBe(false);
    expect(isSelected(rule({ apiVersion: 'v1' }), labelled)).toBe(false);
  });

  it('should ask the API server for what its selector says', () => {
    const matchExpressions = [
      { key: 'a', operator: 'In', values: ['x', 'y'] },
      { key: 'b', operator: 'NotIn', values: ['z'] },
      { key: 'c', operator: 'Exists' },
      { key: 'd', operator: 'DoesNotExist' },
    ] as const;
    expect(selectorQuery({ matchLabels: { app: 'vm' }, matchExpressions })).toBe('app=vm,a in (x,y),b notin (z),c,!d');
    expect(selectorQuery({})).toBe('');
  });

  it('should survive any object', () => {
    const map = compileRule(rule({ fields: { imageRef: [from('..id', { match: 'a+' })], ephemeral: [from('.spec.*')] } }), 'node-1');
    assert(
      property(anything(), (spec) => {
        expect(map({ spec, metadata: spec })?.workload.source).toBe('rules/vms');
      }),
    );
  });
});
