import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-sources');
const { kubectl, helm, apply } = session;
const CRD = fileURLToPath(new URL('../fixtures/rules/virtualmachines.yaml', import.meta.url));
const CUSTOM = 'virtualmachines.vm.example.com';

const image = { ofDomain: 'image-of-a-domain', ofCustom: 'image-of-a-custom-object', unused: 'image-of-nobody' } as const;
const directory = join(access.sharedDirectory, 'sources');
const tree = new InstancesTree(join(directory, 'instances'));
const [statusPath, definitionsPath] = [join(directory, 'run'), join(directory, 'etc')];
const definition = join(definitionsPath, 'instance-00000001.xml');

const rule = {
  name: 'custom',
  apiVersion: 'vm.example.com/v1alpha1',
  kind: 'VirtualMachine',
  nodeFrom: [{ path: '{.spec.node}' }],
  fields: { imageRef: [{ path: '{.spec.image}' }] },
};
const sources = { libvirt: { enabled: true, statusPath, definitionsPath }, rules: [rule] };
const options = [...helmOptions(tree.path), '--set-json', `config.sources=${JSON.stringify(sources)}`, '--set', 'config.jitterSeconds=0'];

/** As nova-compute's libvirtd leaves it: root's, and nobody else's to read. */
function define(): void {
  const nova = 'xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"';
  const metadata = `<metadata><nova:instance ${nova}><nova:root type="image" uuid="${image.ofDomain}"/></nova:instance></metadata>`;
  const uuid = '5f0e2c9a-0000-4000-8000-000000000001';
  writeFileSync(definition, `<domain><name>instance-00000001</name><uuid>${uuid}</uuid>${metadata}</domain>`, { mode: 0o600 });
}

beforeAll(async () => {
  for (const path of [statusPath, definitionsPath]) mkdirSync(path, { recursive: true });
  define();
  for (const ref of Object.values(image)) await tree.addBase({ name: sha1(ref) });
  await kubectl('apply', '--filename', CRD);
  await kubectl('wait', '--for=condition=Established', '--timeout=30s', `crd/${CUSTOM}`);
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  const { apiVersion, kind } = rule;
  await apply({ apiVersion, kind, metadata: { name: 'vm-1', namespace: 'default' }, spec: { node, image: image.ofCustom } });
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
  await kubectl('delete', '--ignore-not-found', '--filename', CRD);
});

describe('VMs that are no pods', () => {
  it('should be read from mounted files of libvirt and by a rule, with the rights that the chart gives for them', async () => {
    await helm(3, 'install', 'basekeeper', ...options, '--set', 'config.mode=enforce', '--wait', '--timeout', '2m');
    await session.readyAgent();
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Succeeded');
    expect(tree.baseNames()).toEqual([sha1(image.ofDomain), sha1(image.ofCustom)].toSorted());
  });

  it('should hold removals while a file of libvirt is half-written', async () => {
    writeFileSync(definition, '<domain><name>instance-0000');
    await tree.addBase({ name: sha1(image.unused) });
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Held');
    expect(tree.baseNames()).toContain(sha1(image.unused));
    define();
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Succeeded');
    expect(tree.baseNames()).toEqual([sha1(image.ofDomain), sha1(image.ofCustom)].toSorted());
  });

  it('should lose the images of those that are gone', async () => {
    rmSync(definition);
    await kubectl('delete', CUSTOM, 'vm-1', '--namespace', 'default');
    // Both were touched as long as they were in use: their age counts from then.
    for (const ref of [image.ofDomain, image.ofCustom]) await tree.addBase({ name: sha1(ref) });
    await tree.addBase({ name: sha1('kept by nobody either') });
    // No VM is left that any source knows: that an inventory may be empty is not said, so the gate closes.
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Held');
    await helm(
      3,
      'upgrade',
      'basekeeper',
      ...options,
      '--set',
      'config.mode=enforce',
      '--set',
      'config.allowEmptyInventory=true',
      '--wait',
    );
    await session.readyAgent();
    await session.runNow(node);
    expect(tree.baseNames()).toEqual([]);
  });
});
