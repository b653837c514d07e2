import { join } from 'node:path';
import type { PartChoices, World } from './features.ts';
import type { SoundnessTree } from './tree.ts';

export type Naming = Exclude<PartChoices['namedBy'], 'nobody'>;
type Also = Exclude<PartChoices['also'], 'nobody'>;

/** What the pass is given: its configuration, workloads, and the files of a libvirtd. */
export class Evidence {
  readonly #tree: SoundnessTree;
  readonly #images: string[] = ['image-of-an-unrelated-vm'];
  #libvirt = false;
  readonly pinnedRefs: string[] = [];
  readonly pinnedNames: string[] = [];

  constructor(tree: SoundnessTree) {
    this.#tree = tree;
  }

  get configFile(): string {
    return join(this.#tree.root, 'config.yaml');
  }

  workload(imageRef: string): void {
    this.#images.push(imageRef);
  }

  /** Lets a libvirt domain name the file at `path`. */
  name(path: string, how: Naming, uuid: string): void {
    this.#tree.named.add(path);
    this.domain(uuid, how === 'status', DEVICES[how](escape(path)), commandLine(how, path));
    if (how !== 'volume') return;
    const directory = join(path, '..');
    this.#tree.text(
      this.#etc(`storage/pool-${uuid.slice(0, 8)}.xml`),
      `<pool type='dir'><name>pool-${uuid.slice(0, 8)}</name><target><path>${escape(directory)}</path></target></pool>\n`,
    );
  }

  /** Lets one more place name the file at `path`, beside the one that names it for the domain `uuid`. */
  nameAlso(path: string, also: Also, uuid: string, namedBy: PartChoices['namedBy']): void {
    const other = uuid.replace('0000', 'aaaa');
    if (also === 'otherRaw') this.name(path, 'definitionRaw', other);
    else if (also === 'otherCommandLine') this.name(path, 'commandLine', other);
    else if (also === 'otherProbed') this.name(path, 'probed', other);
    else {
      this.#tree.named.add(path);
      this.domain(uuid, namedBy !== 'status', DEVICES[also === 'sameRaw' ? 'definitionRaw' : 'definition'](escape(path)));
    }
  }

  /** Lets a domain open what begins at an offset of the file. */
  slice(path: string, offset: number, uuid: string): void {
    const slices = `<slices><slice type='storage' offset='${offset}' size='1048576'/></slices>`;
    this.domain(uuid, false, oneDisk(escape(path)).replace("'/><target", `'>${slices}</source><target`));
  }

  /** A domain with these elements among its devices. */
  domain(uuid: string, live: boolean, disks: string, more = ''): void {
    this.#libvirt = true;
    const pool = `pool-${uuid.slice(0, 8)}`;
    const domain = `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>vm-${uuid.slice(0, 8)}</name><uuid>${uuid}</uuid><devices>${disks.replaceAll('@POOL@', pool)}</devices>${more}</domain>`;
    const file = live
      ? join(this.#tree.root, 'run/libvirt/qemu', `vm-${uuid.slice(0, 8)}.xml`)
      : this.#etc(`qemu/vm-${uuid.slice(0, 8)}.xml`);
    this.#tree.text(file, live ? `<domstatus state='running' reason='booted' pid='1'>${domain}</domstatus>\n` : `${domain}\n`);
  }

  #etc(path: string): string {
    return join(this.#tree.root, 'etc/libvirt', path);
  }

  write(world: World): void {
    const { root, instances } = this.#tree;
    const here = instancesPathOf(this.#tree, world);
    const off = { enabled: false };
    const workloads = join(root, 'workloads.yaml');
    const images = this.#images.map((imageRef, at) => ({ name: `instance-${at}`, imageRef }));
    this.#tree.text(workloads, `${JSON.stringify({ workloads: images })}\n`);
    const statusPath = join(root, 'run/libvirt/qemu');
    const definitionsPath = this.#etc('qemu');
    if (this.#libvirt) for (const path of [statusPath, definitionsPath, this.#etc('storage')]) this.#tree.directory(path);
    const config = {
      instancesPath: here,
      ...(world.mounted === 'elsewhere' ? { hostInstancesPath: instances } : {}),
      nodeName: 'node-1',
      events: false,
      annotations: false,
      trash: { enabled: world.trash === 'on' },
      maxRemovalsPerPass: world.limit === 'one' ? 1 : 0,
      pins: { imageRefs: this.pinnedRefs, fileNames: this.pinnedNames },
      sources: {
        pods: off,
        virtualMachineInstances: off,
        file: { path: workloads },
        ...(this.#libvirt ? { libvirt: { enabled: true, statusPath, definitionsPath } } : {}),
      },
    };
    this.#tree.text(this.configFile, `${JSON.stringify(config, undefined, 1)}\n`);
  }
}

/** The instances path of the pass. */
export function instancesPathOf(tree: SoundnessTree, { mounted }: World): string {
  if (mounted === 'here') return tree.instances;
  return join(tree.root, mounted === 'linked' ? 'linked/instances' : 'mounted/instances');
}

const DRIVER = "<driver name='qemu' type='qcow2'/>";
const TARGET = "<target dev='vda' bus='virtio'/>";
const REMOTE = `<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nbd' name='x'><host name='h' port='10809'/></source>`;

/** The devices of a domain that names a file in this way. */
const DEVICES: Readonly<Record<Naming, (file: string) => string>> = {
  definition: oneDisk,
  definitionRaw: (file) => oneDisk(file).replace("type='qcow2'", "type='raw'"),
  definitionNone: (file) => oneDisk(file).replace(DRIVER, ''),
  status: oneDisk,
  volume: (file) =>
    `<disk type='volume' device='disk'>${DRIVER}<source pool='@POOL@' volume='${file.slice(file.lastIndexOf('/') + 1)}'/>${TARGET}</disk>`,
  backingStore: (file) =>
    `${REMOTE}<backingStore type='file'><format type='qcow2'/><source file='${file}'/><backingStore/></backingStore>${TARGET}</disk>`,
  mirror: (file) =>
    `${REMOTE}<mirror type='file' file='${file}' format='qcow2' job='copy'><format type='qcow2'/><source file='${file}'/></mirror>${TARGET}</disk>`,
  commandLine: () => '',
  probed: () => '',
  blockdev: () => '',
};

function oneDisk(file: string): string {
  return `<disk type='file' device='disk'>${DRIVER}<source file='${file}'/>${TARGET}</disk>`;
}

/** What QEMU is started with beside what libvirt gives it. */
function commandLine(how: Naming, path: string): string {
  const node = { driver: 'qcow2', file: { driver: 'file', filename: path } };
  const options: Partial<Record<Naming, readonly [string, string]>> = {
    commandLine: ['-drive', `file=${path},if=virtio,format=qcow2`],
    probed: ['-drive', `file=${path},if=virtio`],
    blockdev: ['-blockdev', JSON.stringify(node)],
  };
  const args = (options[how] ?? []).map((value) => `<qemu:arg value='${escape(value)}'/>`);
  return args.length === 0 ? '' : `<qemu:commandline>${args.join('')}</qemu:commandline>`;
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    "'": '&apos;',
    '"': '&quot;',
    '\n': '&#10;',
  };
  return text.replaceAll(/[&<>'"\n]/g, (character) => entities[character] ?? character);
}
