/** Makes every file of a release that needs no registry. The same source gives the same bytes: docs/verifying.md. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KUBECTL_SCRIPT } from '../../src/cli/completion/scripts.ts';
import type { BundledPackage } from '../lib/bundle/inventory.ts';
import { chartArchive } from './chart.ts';
import { krewManifest } from './krew.ts';
import type { Release } from './release.ts';
import { sbomOf } from './sbom.ts';
import { tarGz } from './tar.ts';

export const ARCHITECTURES = ['amd64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export interface ReleaseFiles {
  /** File name → content. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly packages: readonly BundledPackage[];
}

export const chartName = (version: string): string => `basekeeper-${version}.tgz`;
export const pluginName = (version: string): string => `kubectl-basekeeper-${version}.tar.gz`;
export const sbomName = (version: string): string => `basekeeper-${version}.cdx.json`;
export const checksumsName = 'SHA256SUMS';
/** The sums of each file of `/app` in the image. */
export const imageSumsName = (version: string, architecture: Architecture): string => `basekeeper-${version}-image-${architecture}.sha256`;

export const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

/** `root`: the project's, with "/" at its end and with `node_modules`. */
export async function releaseFiles(root: string, release: Release): Promise<ReleaseFiles> {
  const { version } = release;
  const files = new Map<string, Buffer>();
  const built = ARCHITECTURES.map((architecture) => ({ architecture, ...imageBundle(root, architecture) }));
  for (const { architecture, bundle } of built) files.set(imageSumsName(version, architecture), Buffer.from(sums(bundle)));
  const packages = built[0]?.packages ?? [];
  const { packages: locked } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as { packages: Record<string, object> };
  files.set(sbomName(version), Buffer.from(`${JSON.stringify(sbomOf(packages, locked, release), undefined, 2)}\n`));
  files.set(chartName(version), await chartArchive(root, release));
  const plugin = await pluginArchive(root, release);
  files.set(pluginName(version), plugin);
  files.set('krew.yaml', Buffer.from(krewManifest(release, { name: pluginName(version), sha256: sha256(plugin) })));
  files.set('RELEASE-NOTES.md', Buffer.from(`# Basekeeper ${version}\n\n${release.changes}\n`));
  files.set(checksumsName, Buffer.from(sums(files)));
  return { files, packages };
}

/** As `sha256sum` prints them. */
function sums(files: ReadonlyMap<string, Buffer>): string {
  return [...files.keys()]
    .toSorted()
    .map((name) => `${sha256(files.get(name) ?? '')}  ${name}\n`)
    .join('');
}

/** What `/app` of the image holds, by name, and which packages it is made of. */
export function imageBundle(root: string, architecture: Architecture): { bundle: ReadonlyMap<string, Buffer>; packages: BundledPackage[] } {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-image-'));
  try {
    const inventory = join(directory, 'inventory.json');
    const image = join(directory, 'app');
    build(root, '--image', image, '--arch', architecture, '--inventory', inventory);
    const packages = JSON.parse(readFileSync(inventory, 'utf8')) as BundledPackage[];
    const bundle = new Map(readdirSync(image).map((name) => [name, readFileSync(join(image, name))]));
    return { bundle: bundle.set('LICENSE', readFileSync(`${root}LICENSE`)), packages };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function pluginArchive(root: string, release: Release): Promise<Buffer> {
  build(root);
  const files = [
    { path: 'kubectl-basekeeper', content: readFileSync(`${root}dist/kubectl-basekeeper.js`), executable: true },
    { path: 'kubectl_complete-basekeeper', content: Buffer.from(KUBECTL_SCRIPT), executable: true },
    { path: 'LICENSE', content: readFileSync(`${root}LICENSE`) },
    { path: 'NOTICES.txt', content: readFileSync(`${root}dist/NOTICES.txt`) },
  ];
  return tarGz(files, release.epochSeconds);
}

function build(root: string, ...args: readonly string[]): void {
  execFileSync(process.execPath, [`${root}scripts/build.ts`, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

export function writeFiles(directory: string, files: ReadonlyMap<string, Buffer>): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(directory, name), content);
}
