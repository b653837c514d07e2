/** The Debian packages that tests and demo need: what each is for, whether it is there, and installing what is missing. */
import { existsSync } from 'node:fs';
import { type Announce, runLines, which } from './run.ts';

export interface SystemPackage {
  /** Debian's and Ubuntu's name. */
  readonly name: string;
  readonly purpose: string;
  /** One of these files or commands shows that it is there. */
  readonly provides: readonly string[];
}

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
  { name: 'prometheus', purpose: 'promtool, which checks metrics, rules and dashboards', provides: ['promtool'] },
];

export function missingPackages(packages: readonly SystemPackage[] = SYSTEM_PACKAGES): SystemPackage[] {
  return packages.filter(({ provides }) => !provides.some((it) => (it.startsWith('/') ? existsSync(it) : which(it) !== undefined)));
}

/** The command that a person runs to have them. */
export function installCommand(packages: readonly SystemPackage[]): string {
  const names = packages.map(({ name }) => name).join(' ');
  return `sudo apt-get update && sudo apt-get install --no-install-recommends --yes ${names}`;
}

/**
 * Installs what is missing, and nothing else, where this user may (root on Debian or Ubuntu). Throws an error with the one command to run
 * where it may not, or where a package is still missing afterwards.
 */
export async function ensureSystemPackages(packages: readonly SystemPackage[], announce: Announce): Promise<void> {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const list = missing.map(({ name, purpose }) => `  ${name}: ${purpose}`).join('\n');
  if (process.getuid?.() !== 0 || which('apt-get') === undefined) {
    throw new Error(
      `These system packages are missing:\n${list}\nInstall them, then run the same command again:\n\n  ${installCommand(missing)}\n`,
    );
  }
  announce(`Installing missing system packages:\n${list}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = { env, onLine: () => {} };
  await runLines('apt-get', ['-qq', 'update'], quiet);
  // python3-nova and qemu start no service; without policy-rc.d a package that does would only fail to start it in a container.
  await runLines('apt-get', ['-qq', 'install', '--yes', '--no-install-recommends', ...missing.map(({ name }) => name)], quiet);
  const still = missingPackages(missing);
  if (still.length > 0) throw new Error(`apt-get installed ${still.map(({ name }) => name).join(', ')}, but nothing of it can be found`);
}
