/** Downloads etcd, kube-apiserver and kubectl from envtest's releases, which the kubernetes-sigs/controller-tools project publishes. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../../src/lib/errors.ts';
import { type Announce, runLines } from './run.ts';

/** What the release archive holds. */
export const DOWNLOADABLE: ReadonlySet<string> = new Set(['etcd', 'kube-apiserver', 'kubectl']);

/** Where the index of releases is; the environment's `ENVTEST_INDEX` overrides it, as for setup-envtest's `--index`. */
const INDEX = 'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';
/** The index is small: a machine that cannot have it within this time has no way out, and building is the better choice. */
const INDEX_TIMEOUT_MS = 10_000;
const ARCHIVE_TIMEOUT_MS = 600_000;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const indexSchema = z.object({
  releases: z.record(z.string(), z.record(z.string(), z.object({ hash: z.string(), selfLink: z.string() }))),
});
type Release = { readonly version: string; readonly url: string; readonly sha512: string };

interface DownloadOptions {
  readonly directory: string;
  readonly version: string;
  readonly components: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly announce: Announce;
}

/** Puts the components into the directory, each by a rename. Returns why it could not: a download that fails is no error, there is still Go. */
export async function downloadComponents(options: DownloadOptions): Promise<string | undefined> {
  try {
    const release = await findRelease(options.env['ENVTEST_INDEX'] ?? INDEX, options.version);
    if (release === undefined) return `no release for ${options.version} on this platform`;
    const started = performance.now();
    const archive = await download(release);
    await unpack(archive, options);
    options.announce(`  ${release.version} downloaded and checked in ${Math.round((performance.now() - started) / 1000)} s`);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function findRelease(index: string, version: string): Promise<Release | undefined> {
  const response = await fetch(index, { signal: AbortSignal.timeout(INDEX_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${index} answered ${response.status}`);
  return chooseRelease(indexSchema.parse(parse(await response.text())), version, process.platform, process.arch);
}

/** The exact version, else the newest patch of the same minor version: not every patch is published for envtest. */
export function chooseRelease(
  index: z.infer<typeof indexSchema>,
  version: string,
  platform: string,
  architecture: string,
): Release | undefined {
  const minor = version.slice(0, version.lastIndexOf('.') + 1);
  const patch = (candidate: string) => Number(candidate.slice(minor.length));
  const candidates = Object.keys(index.releases)
    .filter((candidate) => candidate.startsWith(minor) && Number.isInteger(patch(candidate)))
    .toSorted((a, b) => Number(b === version) - Number(a === version) || patch(b) - patch(a));
  for (const candidate of candidates) {
    const file = index.releases[candidate]?.[`envtest-${candidate}-${platform}-${ARCHITECTURES[architecture]}.tar.gz`];
    if (file !== undefined) return { version: candidate, url: file.selfLink, sha512: file.hash };
  }
  return undefined;
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
    await runLines('tar', ['-xzf', 'archive.tar.gz', '--strip-components=2'], { cwd: temporary, env: process.env, onLine: () => {} });
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
