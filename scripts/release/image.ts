/** Builds the image for both architectures from the Dockerfile, all of it as old as the commit, and pushes it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { which } from '../lib/run.ts';
import { type Access, output } from './commands.ts';
import { ARCHITECTURES } from './files.ts';
import type { Release } from './release.ts';

export interface ImageOptions extends Access {
  /** Further arguments of buildah or buildx, such as `--build-arg=RUNTIME_IMAGE=…`. */
  readonly buildOptions: readonly string[];
}

/** Returns the digest of what the name stands for then: the index of both architectures. */
export async function pushImage(root: string, release: Release, reference: string, options: ImageOptions): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-release-'));
  try {
    if (which('buildah') !== undefined) return await withBuildah(root, release, reference, options, join(directory, 'digest'));
    if (which('docker') !== undefined) return await withBuildx(root, release, reference, options, join(directory, 'metadata'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  throw new Error('neither buildah nor docker is on PATH: install one of them (apt-get install buildah)');
}

const PLATFORMS = `--platform=${ARCHITECTURES.map((it) => `linux/${it}`).join(',')}`;

const buildArguments = ({ version, revision }: Release): string[] => [`--build-arg=VERSION=${version}`, `--build-arg=REVISION=${revision}`];

async function withBuildah(root: string, release: Release, reference: string, options: ImageOptions, digest: string): Promise<string> {
  const tls = options.plainHttp ? ['--tls-verify=false'] : [];
  // The base from its registry: one that is here already would leave its local name in the image.
  const reproducible = [`--timestamp=${release.epochSeconds}`, '--identity-label=false', '--no-cache', '--pull=always'];
  const images = ARCHITECTURES.map((architecture) => ({ architecture, name: `localhost/basekeeper-release:${architecture}` }));
  // One after the other: of a build for several platforms the index has them in the order in which they happen to end.
  for (const { architecture, name } of images) {
    const what = [`--platform=linux/${architecture}`, `--tag=${name}`, ...buildArguments(release), ...options.buildOptions];
    await output('buildah', ['bud', ...tls, ...reproducible, ...what, root]);
  }
  await output('buildah', ['manifest', 'rm', reference]).catch(() => 'there was none from an earlier try');
  await output('buildah', ['manifest', 'create', reference]);
  for (const { name } of images) await output('buildah', ['manifest', 'add', reference, `containers-storage:${name}`]);
  await output('buildah', ['manifest', 'push', '--all', ...tls, `--digestfile=${digest}`, reference, `docker://${reference}`]);
  return readFileSync(digest, 'utf8').trim();
}

async function withBuildx(root: string, release: Release, reference: string, options: ImageOptions, metadata: string): Promise<string> {
  const reproducible = [`--build-arg=SOURCE_DATE_EPOCH=${release.epochSeconds}`, '--provenance=false', '--sbom=false', '--no-cache'];
  const where = [`--tag=${reference}`, '--output=type=registry,rewrite-timestamp=true', `--metadata-file=${metadata}`];
  await output('docker', [
    'buildx',
    'build',
    PLATFORMS,
    ...reproducible,
    ...where,
    ...buildArguments(release),
    ...options.buildOptions,
    root,
  ]);
  return (JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, string>)['containerimage.digest'] ?? '';
}
