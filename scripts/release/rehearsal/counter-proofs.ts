/** What verification is for: each of these is a release with one thing wrong, and must be refused for that reason. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { oras, pushChart } from '../commands.ts';
import { chartName, sbomName } from '../files.ts';
import { attest, byDigest, published, type Signing } from '../publish.ts';
import type { Release } from '../release.ts';
import type { Sbom } from '../sbom.ts';
import { readTar, tarGz } from '../tar.ts';

/** A copy of a release below another path of the registry, with its signatures. */
async function copyOf(release: Release, to: string, access: Signing): Promise<Release> {
  const copy = { ...release, registry: `${release.registry}-${to}` };
  const targets = published(copy);
  for (const [what, name] of Object.entries(published(release))) {
    const target = targets[what as keyof typeof targets];
    for (const suffix of ['', '.sig', '.att']) {
      const digest = (await byDigest(name, access)).replace(/^.*@sha256:/, 'sha256-');
      const tagged = (reference: string) => (suffix === '' ? reference : reference.replace(/:[^:/]+$/, `:${digest}${suffix}`));
      const source = tagged(name);
      if (suffix === '.att' && what !== 'image') continue;
      await oras(['copy'], { plainHttp: false }, ['--from-plain-http', '--to-plain-http', source, tagged(target)]);
    }
  }
  return copy;
}

/** The image's list of parts lacks one package, and the right key signed it. */
export async function withoutOnePackage(release: Release, files: string, directory: string, signing: Signing): Promise<Release> {
  const copy = await copyOf(release, 'short-list', signing);
  const sbom = JSON.parse(readFileSync(join(files, sbomName(release.version)), 'utf8')) as Sbom;
  const path = join(directory, 'short.cdx.json');
  writeFileSync(path, JSON.stringify({ ...sbom, components: sbom.components.slice(1) }));
  await attest(await byDigest(published(copy).image, signing), 'cyclonedx', path, signing);
  return copy;
}

/** Somebody who may push has pushed another chart under the name of the one that was signed. */
export async function withChangedChart(release: Release, files: string, directory: string, signing: Signing): Promise<Release> {
  const copy = await copyOf(release, 'changed-chart', signing);
  const chart = readTar(readFileSync(join(files, chartName(release.version))));
  const changed = [...chart].map(([path, content]) => ({
    path,
    content: Buffer.from(content.toString().replaceAll('dry-run', 'enforce')),
  }));
  mkdirSync(directory, { recursive: true });
  const path = join(directory, chartName(release.version));
  writeFileSync(path, await tarGz(changed, release.epochSeconds));
  await pushChart(path, copy.registry, signing);
  return copy;
}
