import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './kube-sources.ts';

const run = promisify(execFile);

/** A real libvirtd with QEMU's driver that sees directories of its own instead of the machine's. */
export interface Libvirtd {
  /** As on a host: `/run/libvirt/qemu` and `/etc/libvirt/qemu`. */
  readonly statusPath: string;
  readonly definitionsPath: string;
  virsh(...args: readonly string[]): Promise<string>;
  /** Defines a domain without acceleration and with one qcow2 disk; `metadata` is XML. */
  define(domain: { readonly name: string; readonly uuid: string; readonly disk: string; readonly metadata: string }): Promise<void>;
  /** Ends it with everything that it runs, and removes its directories. */
  stop(): Promise<void>;
}

const QEMU_CONF = `dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
`;
const LIBVIRTD_CONF = 'auth_unix_rw = "none"\nauth_unix_ro = "none"\n';

/** Root has the system's libvirtd, which must not meet the machine's; everybody else has one of the session, by the same code. */
interface Kind {
  readonly uri: string;
  readonly namespaces: readonly string[];
  /** Its shell stays the first process, and reaps: libvirtd would wait for ever for the zombies of a QEMU that went into the background. */
  readonly script: string;
  /** Below the directory of this libvirtd. */
  readonly socket: string;
  readonly configuration: string;
  readonly statusPath: string;
  readonly qemuConfiguration: string;
}

/** libvirtd starts only where its default user exists, which another package makes, though the configuration names a user of its own. */
const SYSTEM: Kind = {
  uri: 'qemu+unix:///system',
  namespaces: ['--propagation', 'private'],
  script: `mkdir -p /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt
for dir in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /run; do
  mkdir -p "$1$dir"
  mount --bind "$1$dir" "$dir"
done
for file in passwd group; do
  cp "/etc/$file" "$1/$file"
  mount --bind "$1/$file" "/etc/$file"
done
getent passwd libvirt-qemu > /dev/null || echo 'libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin' >> /etc/passwd
getent group libvirt-qemu > /dev/null || echo 'libvirt-qemu:x:64055:' >> /etc/group
/usr/sbin/libvirtd --config /etc/libvirt/libvirtd.conf & wait $!`,
  socket: 'run/libvirt/libvirt-sock',
  configuration: 'etc/libvirt',
  statusPath: 'run/libvirt/qemu',
  // As the package's own user, QEMU could not reach the directories of a test.
  qemuConfiguration: `user = "root"\ngroup = "root"\n${QEMU_CONF}`,
};
const SESSION: Kind = {
  uri: 'qemu+unix:///session',
  namespaces: ['--user', '--map-current-user'],
  script: `export HOME="$1" XDG_RUNTIME_DIR="$1/run" XDG_CONFIG_HOME="$1/etc" XDG_CACHE_HOME="$1/cache" XDG_DATA_HOME="$1/data"
/usr/sbin/libvirtd & wait $!`,
  socket: 'run/libvirt/libvirt-sock',
  configuration: 'etc/libvirt',
  statusPath: 'run/libvirt/qemu/run',
  qemuConfiguration: QEMU_CONF,
};

export async function startLibvirtd(): Promise<Libvirtd> {
  const kind = process.getuid?.() === 0 ? SYSTEM : SESSION;
  // A socket's path may be 107 characters long.
  const directory = mkdtempSync(join(tmpdir(), 'bk-lv-'));
  for (const path of ['run/libvirt', kind.configuration]) mkdirSync(join(directory, path), { recursive: true });
  writeFileSync(join(directory, kind.configuration, 'qemu.conf'), kind.qemuConfiguration);
  writeFileSync(join(directory, kind.configuration, 'libvirtd.conf'), LIBVIRTD_CONF);
  // Mounts, network and processes end with the first process.
  const namespaces = [...kind.namespaces, '--mount', '--net', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
  const child = spawn('unshare', [...namespaces, 'bash', '-euc', kind.script, 'libvirtd', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  const socket = join(directory, kind.socket);
  const virsh = async (...args: readonly string[]): Promise<string> =>
    (await run('virsh', ['--quiet', '--connect', `${kind.uri}?socket=${socket}`, ...args], { timeout: 60_000 })).stdout;
  try {
    await eventually(async () => {
      if (!existsSync(socket)) throw new Error(`libvirtd does not listen: ${errors}`);
      await virsh('list');
    }, 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    statusPath: join(directory, kind.statusPath),
    definitionsPath: join(directory, kind.configuration, 'qemu'),
    virsh,
    define: async (domain) => {
      const file = join(directory, 'domain.xml');
      writeFileSync(file, domainXml(domain));
      await virsh('define', file);
    },
    stop,
  };
}

function domainXml({ name, uuid, disk, metadata }: Parameters<Libvirtd['define']>[0]): string {
  return `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid><metadata>${metadata}</metadata><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`;
}
