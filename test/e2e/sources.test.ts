import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { auditedRequests, grantedRights, rulesOfRelease } from './lib/least-privilege.ts';
import { READ_REPORT } from './lib/agent-scripts.ts';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-sources');
const { kubectl, helm, apply } = session;
const CRD = fileURLToPath(new URL('../fixtures/rules/virtualmachines.yaml', import.meta.url));
const CUSTOM = 'virtualmachines.vm.example.com';

const image = {
  ofDomain: 'image-of-a-domain',
  ofCustom: 'image-of-a-custom-object',
  pinned: 'image-that-somebody-wants-to-stay',
  unused: 'image-of-nobody',
} as const;
const kept = [image.ofDomain, image.ofCustom, image.pinned].map(sha1).toSorted();
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
const options = [
  ...helmOptions(tree.path),
  '--set-json',
  `config.sources=${JSON.stringify(sources)}`,
  '--set',
  'config.jitterSeconds=0,config.mode=enforce,config.pins.configMaps.enabled=true',
];

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
  const pins = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'golden', namespace: session.namespace, labels: { 'basekeeper.io/pins': '' } },
  };
  await apply({ ...pins, data: { imageRefs: image.pinned } });
  const { apiVersion, kind } = rule;
  await apply({ apiVersion, kind, metadata: { name: 'vm-1', namespace: 'default' }, spec: { node, image: image.ofCustom } });
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
  await kubectl('delete', '--ignore-not-found', '--filename', CRD);
});

describe('VMs that are not pods', () => {
  it('should be read from mounted files of libvirt and by a rule, with the rights that the chart gives for them', async () => {
    await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
    await session.readyAgent();
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Succeeded');
    for (const ref of [image.ofDomain, image.ofCustom]) expect(tree.baseNames(), ref).toContain(sha1(ref));
    expect(tree.baseNames()).not.toContain(sha1(image.unused));
  });

  it('should have a ConfigMap beside them that pins an image, read with the rights that the chart gives for it', async () => {
    const pod = await session.readyAgent();
    const { files } = JSON.parse(await session.runInAgent(pod.metadata.name, READ_REPORT)) as {
      files: { name: string; reason: string; usedBy: object[] }[];
    };
    const pin = { through: 'pin', by: `ConfigMap ${session.namespace}/golden` };
    expect(files.find(({ name }) => name === sha1(image.pinned))).toMatchObject({ reason: 'PinnedByConfig', usedBy: [pin] });
    expect(tree.baseNames()).toEqual(kept);
  });

  it('should hold removals while a file of libvirt is half-written', async () => {
    writeFileSync(definition, '<domain><name>instance-0000');
    await tree.addBase({ name: sha1(image.unused) });
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Held');
    expect(tree.baseNames()).toContain(sha1(image.unused));
    define();
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Succeeded');
    expect(tree.baseNames()).toEqual(kept);
  });

  it('should lose the images of those that are gone', async () => {
    rmSync(definition);
    await kubectl('delete', CUSTOM, 'vm-1', '--namespace', 'default');
    await kubectl('delete', 'configmap', 'golden', '--namespace', session.namespace);
    // Both were touched as long as they were in use: their age counts from then.
    for (const ref of [image.ofDomain, image.ofCustom]) await tree.addBase({ name: sha1(ref) });
    await tree.addBase({ name: sha1('kept by nobody either') });
    // No VM is left that any source knows: that an inventory may be empty is not said, so the gate closes.
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Held');
    await helm(3, 'upgrade', 'basekeeper', ...options, '--set', 'config.allowEmptyInventory=true', '--wait');
    await session.readyAgent();
    await session.runNow(node);
    expect(tree.baseNames()).toEqual([]);
  });

  it.runIf(access.auditLog !== undefined)(
    'should have been asked for with the rights that are theirs, and with none that the chart does not give',
    async () => {
      // The log has a watch once it has ended: those of the agent before the upgrade.
      const { rights, forbidden } = auditedRequests(access.auditLog ?? '', `system:serviceaccount:${session.namespace}:basekeeper`);
      const granted = grantedRights(await rulesOfRelease(session, 'basekeeper'));
      expect([...forbidden]).toEqual([]);
      expect([...granted]).toEqual(expect.arrayContaining([...rights]));
      const theirs = ['configmaps', CUSTOM].flatMap((resource) => [`${resource} list`, `${resource} watch`]);
      expect([...rights]).toEqual(expect.arrayContaining(theirs));
    },
  );
});
