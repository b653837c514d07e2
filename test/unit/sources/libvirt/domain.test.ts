import { assert, nat, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDomain } from '../../../../src/sources/libvirt/domain.ts';

const INSTANCES = '/var/lib/nova/instances';

function nova(version: string, prefix = 'nova'): string {
  return `<${prefix}:instance xmlns:${prefix}="http://openstack.org/xmlns/libvirt/nova/${version}">
    <${prefix}:flavor name="m1"><${prefix}:swap>512</${prefix}:swap><${prefix}:ephemeral>20</${prefix}:ephemeral></${prefix}:flavor>
    <${prefix}:root type="image" uuid="4bd1f2"/></${prefix}:instance>`;
}

function domain(parts: { metadata?: string; os?: string; devices?: string } = {}): string {
  return `<domain type='kvm'><name>instance-00000001</name><uuid>5f0e2c9a-0000-4000-8000-000000000001</uuid>
    <metadata>${parts.metadata ?? ''}</metadata><os>${parts.os ?? ''}</os><devices>${parts.devices ?? ''}</devices></domain>`;
}

const disk = `<disk type='file' device='disk'><source file='${INSTANCES}/5f0e/disk'/>
  <backingStore type='file'><format type='raw'/><source file='${INSTANCES}/_base/aa'/><backingStore/></backingStore>
  <mirror type='file'><source file='${INSTANCES}/5f0e/disk.mirror'/></mirror></disk>`;

describe('the disks of a libvirt domain', () => {
  const QEMU = 'http://libvirt.org/schemas/domain/qemu/1.0';
  const withArguments = (...values: string[]): string =>
    domain().replace(
      '</domain>',
      `<qemu:commandline xmlns:qemu='${QEMU}'>${values.map((value) => `<qemu:arg value="${value.replaceAll('"', '&quot;')}"/>`).join('')}</qemu:commandline></domain>`,
    );
  const disksOf = (text: string) => parseDomain(text, INSTANCES).workload.disks?.map(({ path }) => path);

  it.each([
    ["<disk type='file'><driver type='qcow2'/><source file='/out/d'/></disk>", ['/out/d']],
    ["<disk type='file'><source file='/a'/><mirror file='/out/d' format='qcow2'/></disk>", ['/a', '/out/d']],
    ["<disk type='block'><driver type='qcow2'/><source dev='/dev/vg/lv'/></disk>", ['/dev/vg/lv']],
    ["<disk type='block'><driver type='raw'/><source dev='/dev/vg/lv'/></disk>", []],
    ["<disk type='block'><driver type='raw'/><source dev='/dev/loop3'/></disk>", ['/dev/loop3']],
    [
      "<disk type='network'><backingStore type='block'><format type='qcow2'/><source dev='/dev/vg/b'/></backingStore></disk>",
      ['/dev/vg/b'],
    ],
    ["<disk type='network'><mirror type='block'><format type='qcow2'/><source dev='/dev/vg/m'/></mirror></disk>", ['/dev/vg/m']],
    ["<disk type='network'><mirror type='block'><format type='raw'/><source dev='/dev/vg/m'/></mirror></disk>", []],
    ["<disk type='network'><source protocol='rbd' name='vms/x'/></disk>", []],
  ])('should be named wherever they lie: %s', (devices, paths) => {
    expect(disksOf(domain({ devices }))).toEqual(paths);
    expect(parseDomain(domain({ devices }), INSTANCES).problems).toEqual([]);
  });

  it.each([
    ["<disk type='file'><driver name='qemu' type='raw'/><source file='/out/d'/></disk>", { '/out/d': 'raw' }],
    [
      "<disk type='network'><backingStore type='file'><format type='qcow2'/><source file='/out/b'/></backingStore></disk>",
      { '/out/b': 'qcow2' },
    ],
    ["<disk type='network'><mirror type='file'><format type='qcow2'/><source file='/out/m'/></mirror></disk>", { '/out/m': 'qcow2' }],
    ["<disk type='network'><mirror type='file' file='/out/m' format='qcow2'/></disk>", { '/out/m': 'qcow2' }],
    ["<disk type='network'><mirror type='file' file='/m' format='raw'><format type='qcow2'/></mirror></disk>", { '/m': 'qcow2 raw' }],
    ["<disk><driver type='qcow2'/><source file='/a'/></disk><disk><driver type='raw'/><source file='/a'/></disk>", { '/a': 'qcow2 raw' }],
    ["<disk><driver type='raw'/><source file='/a'/></disk><disk><source file='/a'/></disk>", { '/a': 'raw undefined' }],
    ["<disk type='volume'><driver type='raw'/><source pool='p' volume='v'/></disk>", { '/p/v': 'raw' }],
    ["<src type='file' format='qcow2'><source file='/s'/></src>", { '/s': 'qcow2' }],
    ["<disk name='vda' type='file'><driver type='qcow2'/><target file='/t'/></disk>", { '/t': 'qcow2' }],
    ["<disk name='vda' type='file'><driver type='qcow2'/><scratch file='/t'/></disk>", { '/t': 'qcow2' }],
  ])('should have each format by which the hypervisor opens them: %s', (devices, formats) => {
    expect(formatsOf(domain({ devices }))).toEqual(formats);
  });

  const formatsOf = (text: string): Record<string, string> => {
    const { workload } = parseDomain(text, INSTANCES, (pool) => `/${pool}`);
    const byPath = Object.groupBy(workload.disks ?? [], ({ path }) => path);
    return Object.fromEntries(
      Object.entries(byPath).map(([path, disks = []]) => [path, disks.map(({ format }) => String(format)).join(' ')]),
    );
  };

  it('should have no format where the command line of QEMU names them, whatever a disk of that file says', () => {
    const devices = "<disk><driver type='raw'/><source file='/a'/></disk>";
    const text = withArguments('-drive', 'file=/a,format=qcow2').replace('<devices>', `<devices>${devices}`);
    expect(parseDomain(text, INSTANCES).workload.disks).toEqual([{ path: '/a', format: 'raw' }, { path: '/a' }]);
  });

  it('should have the format that firmware is in, where it may be backed by another file', () => {
    const os = "<loader type='pflash' format='qcow2'>/out/code.qcow2</loader><nvram format='qcow2'>/out/vars.qcow2</nvram>";
    expect(parseDomain(domain({ os }), INSTANCES).workload.disks).toEqual([
      { path: '/out/code.qcow2', format: 'qcow2' },
      { path: '/out/vars.qcow2', format: 'qcow2' },
    ]);
  });

  it('should not have to be seen where they are firmware, its variables or a kernel, which are loaded as they are', () => {
    const os = "<loader type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader><nvram>/var/lib/libvirt/qemu/nvram/vm_VARS.fd</nvram>";
    const devices = "<disk><driver type='raw'/><source file='/out/d'/></disk>";
    expect(parseDomain(domain({ os, devices }), INSTANCES).workload.disks?.map(({ path, isLoaded }) => [path, isLoaded])).toEqual([
      ['/out/d', undefined],
      ['/usr/share/OVMF/OVMF_CODE.fd', true],
      ['/var/lib/libvirt/qemu/nvram/vm_VARS.fd', true],
    ]);
  });

  it.each([
    [['-drive', 'file=/out/d,if=virtio'], ['/out/d']],
    [['-drive', 'file=/out/a,,b,if=virtio'], ['/out/a,b']],
    [['-drive', 'driver=qcow2,file.driver=raw,file.file.filename=/out/d'], ['/out/d']],
    [['-blockdev', '{"driver":"qcow2","file":{"driver":"file","filename":"/out/d"}}'], ['/out/d']],
    [['-blockdev', "{'driver':'qcow2','file':{'driver':'file','filename':'/out/d'}}"], ['/out/d']],
    [
      ['-blockdev', String.raw`{"driver":"qcow2","file":{"driver":"file","filename":"/out/\"a\u0062"}}`],
      ['/out/"ab', '/out/\\'],
    ],
    [['-set', 'drive.disk0.file=/out/d'], ['/out/d']],
    [['-hda', '/out/d'], ['/out/d']],
  ])('should be read from the command line of QEMU: %j', (values, paths) => {
    expect(disksOf(withArguments(...values))).toEqual(paths);
  });

  it.each([
    ["<disk type='dir'><source dir='/srv'/></disk>", 'of the type "dir"'],
    ["<disk type='network'><backingStore type='dir'><source dir='/srv'/></backingStore></disk>", 'of the type "dir"'],
    ["<disk type='volume'><source pool='images' volume='x'/></disk>", 'storage pool "images"'],
    ["<disk type='file'><source file='relative'/></disk>", 'not an absolute path'],
    ["<disk type='vhostuser'><source type='unix' path='/run/v.sock'/></disk>", 'of the type "vhostuser"'],
    [
      "<disk type='network'><source protocol='nbd'><host transport='unix' socket='/run/n.sock'/></source></disk>",
      'the socket "/run/n.sock"',
    ],
    ["<disk type='network'><driver type='qcow2'/><source protocol='rbd' name='p/v'/></disk>", 'a qcow2 image that is not a file here'],
    ["<disk><source file='/d'><slices><slice type='storage' offset='512' size='9'/></slices></source></disk>", 'the offset "512"'],
  ])('should be a problem where they are not understood: %s', (devices, message) => {
    expect(parseDomain(domain({ devices }), INSTANCES).problems.join()).toContain(message);
    expect(parseDomain(withArguments('-readconfig', '/out/conf'), INSTANCES).problems.join()).toContain('reads options from');
    expect(parseDomain(withArguments('-drive', 'file=/d,offset=9'), INSTANCES).problems.join()).toContain('whose offset is not followed');
  });

  it('should lie in the target of a pool whose definition can be read', () => {
    const devices = "<disk type='volume'><source pool='images' volume='x'/></disk>";
    const { workload, problems } = parseDomain(domain({ devices }), INSTANCES, (pool) => (pool === 'images' ? '/srv/images' : undefined));
    expect([workload.disks, problems]).toEqual([[{ path: '/srv/images/x' }], []]);
  });
});

describe('a libvirt domain', () => {
  it.each(['1.0', '1.1'])("should name the image, swap and ephemeral disk of Nova's metadata %s", (version) => {
    const { workload, problems } = parseDomain(domain({ metadata: nova(version) }), INSTANCES);
    expect(problems).toEqual([]);
    expect(workload).toMatchObject({
      name: 'instance-00000001',
      images: [{ role: 'image', ref: '4bd1f2' }],
      swapMb: [512],
      ephemeral: [{ sizeGb: 20 }],
      resizing: true,
    });
    expect(workload.instanceNames).toEqual(['instance-00000001', '5f0e2c9a-0000-4000-8000-000000000001']);
  });

  it('should know the namespace by its URI, whatever its prefix', () => {
    expect(parseDomain(domain({ metadata: nova('1.1', 'x') }), INSTANCES).workload.images).toHaveLength(1);
    expect(parseDomain(domain({ metadata: nova('9.9') }), INSTANCES).workload.images).toEqual([]);
  });

  it('should protect disks, their backing stores and mirrors, kernel and initrd below the instances path, and nothing else', () => {
    const os = `<kernel>${INSTANCES}/_base/kernel</kernel><initrd>/boot/initrd</initrd>`;
    const { workload } = parseDomain(domain({ os, devices: disk }), INSTANCES);
    expect(workload.paths).toEqual([
      `${INSTANCES}/5f0e/disk`,
      `${INSTANCES}/_base/aa`,
      `${INSTANCES}/5f0e/disk.mirror`,
      `${INSTANCES}/_base/kernel`,
    ]);
    expect(workload.instanceNames).toContain('5f0e');
  });

  it("should read a live domain's status file, comments and processing instructions before its root included", () => {
    const text = `<?xml version="1.0"?>\n<!-- WARNING: THIS IS AN AUTO-GENERATED FILE -->\n<?pi x?>\n<domstatus state='running' pid='1'>${domain({ devices: disk })}</domstatus>`;
    expect(parseDomain(text, INSTANCES).workload.paths).toHaveLength(3);
  });

  it('should unescape values', () => {
    const devices = `<disk><source file='${INSTANCES}/_base/a&amp;b&#x20;c'/></disk>`;
    expect(parseDomain(domain({ devices }), INSTANCES).workload.paths).toEqual([`${INSTANCES}/_base/a&b c`]);
  });

  it('should not take a volume for an image', () => {
    expect(parseDomain(domain({ metadata: nova('1.1').replace('type="image"', 'type="volume"') }), INSTANCES).workload.images).toEqual([]);
  });

  it('should say what it cannot understand', () => {
    const { problems, workload } = parseDomain(domain({ metadata: nova('1.1').replace('>512<', '>much<') }), INSTANCES);
    expect(problems).toEqual(['nova:swap is "much", not a whole number']);
    expect(workload.swapMb).toEqual([]);
  });

  it.each([
    ['half a file', domain().slice(0, 120)],
    ['an empty file', ''],
    ['another document', '<network><name>a</name></network>'],
    ['a domain without a name', '<domain><uuid>u</uuid></domain>'],
    ['a document type', `<!DOCTYPE domain [<!ENTITY a "b">]>${domain()}`],
    ['an entity of its own', domain({ devices: '<disk><source file="/x/&lol;"/></disk>' })],
    ['an undeclared prefix', domain({ metadata: '<nova:instance/>' })],
    ['a document nested too deeply', `${'<a>'.repeat(200)}${'</a>'.repeat(200)}`],
    ['more than one root', `${domain()}${domain()}`],
  ])('should refuse %s', (_what, text) => {
    expect(() => parseDomain(text, INSTANCES)).toThrow(Error);
  });

  it('should survive whatever stands in the file', () => {
    assert(
      property(string({ maxLength: 200 }), nat(domain({ devices: disk }).length), (junk, at) => {
        const text = domain({ devices: disk });
        try {
          parseDomain(text.slice(0, at) + junk + text.slice(at), INSTANCES);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
