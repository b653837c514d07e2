/** What the containers of a pod run, as far as its specification says. */
import { asArray, asText, at, field } from '../../lib/json.ts';

export type Program = 'libvirt' | 'nova-compute';

const COMMANDS: Readonly<Record<string, Program>> = {
  libvirtd: 'libvirt',
  virtqemud: 'libvirt',
  'libvirt.sh': 'libvirt',
  'nova-compute': 'nova-compute',
  'nova-compute.sh': 'nova-compute',
};
/** Such as `quay.io/openstack.kolla/nova-libvirt:2025.1`. */
const IMAGES: Readonly<Record<string, Program>> = {
  libvirt: 'libvirt',
  libvirtd: 'libvirt',
  virtqemud: 'libvirt',
  'nova-libvirt': 'libvirt',
  'nova-compute': 'nova-compute',
};
/** These start what stands after them. */
const LAUNCHERS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'env', 'exec', 'sudo', 'tini', 'dumb-init', 'nice', 'ionice']);
/** Where libvirtd keeps its definitions; on Talos below /var. */
const DEFINITIONS = /^(?:\/var)?\/etc\/libvirt(?:\/qemu)?\/?$/;

/** The container of the pod that runs each program. */
export function programsOf(pod: unknown): ReadonlyMap<Program, string> {
  const found = new Map<Program, string>();
  for (const container of asArray(at(pod, 'spec', 'containers')) ?? []) {
    const name = asText(field(container, 'name')) ?? '';
    for (const program of [byCommand(container), byImage(container), byMounts(container, pod)])
      if (program !== undefined && !found.has(program)) found.set(program, name);
  }
  return found;
}

function byImage(container: unknown): Program | undefined {
  const image = asText(field(container, 'image')) ?? '';
  return own(IMAGES, /([^/:@]+)(?::[^/@]*)?(?:@.*)?$/.exec(image)?.[1]);
}

/** The program at the beginning of the command, behind its launchers, or behind an `exec` of a script. */
function byCommand(container: unknown): Program | undefined {
  const words = ['command', 'args']
    .flatMap((key) => asArray(field(container, key)) ?? [])
    .flatMap((word) => (asText(word) ?? '').split(/[\s;&|]+/))
    .map((word) => word.slice(word.lastIndexOf('/') + 1));
  const first = words.findIndex((word) => !LAUNCHERS.has(word) && !/^$|^-|=/.test(word));
  const started = words.filter((_, index) => index === first || words[index - 1] === 'exec');
  return started.map((word) => own(COMMANDS, word)).find((program) => program !== undefined);
}

/** Only libvirtd writes its definitions. Who reads them may be anybody, our agent for one. */
function byMounts(container: unknown, pod: unknown): Program | undefined {
  const volumes = (asArray(at(pod, 'spec', 'volumes')) ?? []).filter((volume) =>
    DEFINITIONS.test(asText(at(volume, 'hostPath', 'path')) ?? ''),
  );
  const names = new Set(volumes.map((volume) => field(volume, 'name')));
  const mounts = asArray(field(container, 'volumeMounts')) ?? [];
  return mounts.some((mount) => names.has(field(mount, 'name')) && field(mount, 'readOnly') !== true) ? 'libvirt' : undefined;
}

function own(programs: Readonly<Record<string, Program>>, name: string | undefined): Program | undefined {
  return name !== undefined && Object.hasOwn(programs, name) ? programs[name] : undefined;
}
