/** The Debian packages that tests and demo need: what each is for, whether it is there, and installing what is missing. */
import { existsSync } from 'node:fs';
import { type Announce, runLines, which } from './run.ts';

export interface SystemPackage {
  /** Debian's and Ubuntu's name. */
  readonly name: string;
  readonly purpose: string;
  /** One of these files or commands shows that it is there. */
  readonly provides: readonly string[];
  /** Services that the package starts and nobody asked for: stopped and disabled again where the package was installed by us. */
  readonly services?: readonly string[];
}

export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly root: boolean;
}

const thisMachine = (): Machine => ({ env: process.env, root: process.getuid?.() === 0 });

export const SYSTEM_PACKAGES: readonly SystemPackage[] = [
  { name: 'qemu-utils', purpose: 'qemu-img and qemu-io: real images, and QEMU holding its real locks on them', provides: ['qemu-img'] },
  {
    name: 'python3-nova',
    purpose: "OpenStack Nova's own image cache manager and file locks, to compare with",
    provides: ['/usr/lib/python3/dist-packages/nova/virt/libvirt/imagecache.py'],
  },
  { name: 'strace', purpose: 'which files a pass opens, and which system calls fail when we want them to', provides: ['strace'] },
  {
    name: 'chromium',
    purpose: 'a browser without a window, for the status page',
    provides: ['chromium', 'chromium-browser', 'google-chrome'],
  },
  { name: 'fonts-dejavu-core', purpose: 'letters for that browser', provides: ['/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'] },
  { name: 'libvirt-daemon', purpose: 'libvirtd: the files that it writes about real domains', provides: ['/usr/sbin/libvirtd'] },
  { name: 'libvirt-clients', purpose: 'virsh, to define, start and undefine domains', provides: ['virsh'] },
  { name: 'qemu-system-x86', purpose: 'a VM that really runs, under that libvirtd', provides: ['qemu-system-x86_64'] },
  {
    name: 'prometheus',
    purpose: 'promtool, which checks metrics and rules, and a real Prometheus for the queries of the dashboards',
    provides: ['promtool'],
    services: ['prometheus.service'],
  },
  { name: 'zsh', purpose: 'a shell that completes our commands', provides: ['zsh'] },
  { name: 'fish', purpose: 'another one', provides: ['fish'] },
  { name: 'faketime', purpose: "a command whose clock is not the kernel's", provides: ['faketime'] },
  { name: 'spin', purpose: 'the model checker that looks at removals in every order of their steps', provides: ['spin'] },
  { name: 'gcc', purpose: 'the compiler of what spin generates', provides: ['gcc'] },
  { name: 'libc6-dev', purpose: 'the headers that it includes', provides: ['/usr/include/stdio.h'] },
];

/** `path`: where commands are looked for, such as PATH. */
export function missingPackages(packages: readonly SystemPackage[], path = process.env['PATH']): SystemPackage[] {
  const found = (it: string) => (it.startsWith('/') ? existsSync(it) : which(it, path) !== undefined);
  return packages.filter(({ provides }) => !provides.some(found));
}

/** The command that a person runs to have them. */
function installCommand(packages: readonly SystemPackage[]): string {
  const names = packages.map(({ name }) => name).join(' ');
  return `sudo apt-get update && sudo apt-get install --no-install-recommends --yes ${names}`;
}

/**
 * Installs what is missing, and nothing else, where this user may (root on Debian or Ubuntu). Throws an error with the one command to run
 * where it may not, or where a package is still missing afterwards.
 */
export async function ensureSystemPackages(
  packages: readonly SystemPackage[],
  announce: Announce,
  { env, root }: Machine = thisMachine(),
): Promise<void> {
  const missing = missingPackages(packages, env['PATH']);
  if (missing.length === 0) return;
  const list = missing.map(({ name, purpose }) => `  ${name}: ${purpose}`).join('\n');
  if (!root || which('apt-get', env['PATH']) === undefined)
    throw new Error(
      `these system packages are missing:\n${list}\nInstall them, then run the same command again:\n\n  ${installCommand(missing)}\n`,
    );
  announce(`Installing missing system packages:\n${list}`);
  await install(missing, env);
  const still = missingPackages(missing, env['PATH']);
  if (still.length > 0) throw new Error(`apt-get installed ${still.map(({ name }) => name).join(', ')}, but nothing of it can be found`);
}

async function install(packages: readonly SystemPackage[], env: NodeJS.ProcessEnv): Promise<void> {
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, onLine: () => {} };
  const patient = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];
  await runLines('apt-get', [...patient, 'update'], options);
  await runLines('apt-get', [...patient, 'install', '--yes', '--no-install-recommends', ...packages.map(({ name }) => name)], options);
  const services = packages.flatMap((it) => it.services ?? []);
  if (services.length > 0 && existsSync('/run/systemd/system')) await runLines('systemctl', ['disable', '--now', ...services], options);
}
