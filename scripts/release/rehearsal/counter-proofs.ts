/** What verification is for: each of these is a release with one thing wrong, and must be refused for that reason. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { oras, pushChart, repositoryOf } from '../commands.ts';
import { chartName, sbomName, sha256 } from '../files.ts';
import { attest, attestStatement, byDigest, published, sign, type Signing } from '../publish.ts';
import type { Release } from '../release.ts';
import type { Sbom } from '../sbom.ts';
import { readTar, tarGz } from '../tar.ts';
import { attested } from '../verify.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

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

interface ImageParts {
  readonly config: { config: Record<string, unknown>; rootfs: { diff_ids: string[] } };
  readonly manifest: { mediaType?: string; config: Descriptor; layers: Descriptor[] };
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** The image starts another program; its `/app` is the true one, and the right key signed it. */
export async function withOtherProgram(release: Release, directory: string, signing: Signing): Promise<Release> {
  return await withOtherImage(release, { name: 'other-program', directory }, signing, async ({ config }) => {
    config.config['Env'] = [...(config.config['Env'] as string[]), 'NODE_OPTIONS=--require=/tmp/x'];
  });
}

/** There is one layer more below `/app`: it may hold another Node.js. */
export async function withOtherBase(release: Release, directory: string, signing: Signing): Promise<Release> {
  return await withOtherImage(release, { name: 'other-base', directory }, signing, async ({ config, manifest }, add) => {
    const layer = await tarGz([{ path: 'nodejs/bin/other', content: Buffer.from('x') }], release.epochSeconds);
    config.rootfs.diff_ids.splice(-1, 0, `sha256:${sha256(gunzipSync(layer))}`);
    manifest.layers.splice(-1, 0, { ...(manifest.layers[0] as Descriptor), ...(await add(layer)) });
  });
}

/** Puts a changed image for amd64 in the place of the true one, signed and with the statements of that one. */
async function withOtherImage(
  release: Release,
  { name, directory }: { readonly name: string; readonly directory: string },
  signing: Signing,
  change: (parts: ImageParts, add: (blob: Buffer) => Promise<Pick<Descriptor, 'digest' | 'size'>>) => Promise<void>,
): Promise<Release> {
  const copy = await copyOf(release, name, signing);
  const image = published(copy).image;
  const genuine = await byDigest(image, signing);
  const file = join(directory, `${name}.blob`);
  const add = async (blob: Buffer): Promise<Pick<Descriptor, 'digest' | 'size'>> => {
    const digest = `sha256:${sha256(blob)}`;
    writeFileSync(file, blob);
    await oras(['blob', 'push'], signing, [`${repositoryOf(image)}@${digest}`, file]);
    return { digest, size: blob.length };
  };
  const fetched = async (what: string): Promise<unknown> =>
    JSON.parse(await oras(['manifest', what], signing, ['--platform=linux/amd64', genuine]));
  const parts = { config: await fetched('fetch-config'), manifest: await fetched('fetch') } as ImageParts;
  await change(parts, add);
  Object.assign(parts.manifest.config, await add(Buffer.from(JSON.stringify(parts.config))));
  writeFileSync(file, JSON.stringify(parts.manifest));
  await oras(['manifest', 'push'], signing, [`--media-type=${parts.manifest.mediaType ?? OCI_MANIFEST}`, image, file]);
  const changed = await byDigest(image, signing);
  await sign([changed], signing);
  const signer = { ...signing, options: [`--key=${signing.key?.replace(/key$/, 'pub') ?? ''}`] };
  for (const type of ['cyclonedx', 'slsaprovenance1']) {
    for (const statement of await attested(genuine, type, signer)) await attestStatement(changed, type, statement as object, signing);
  }
  return copy;
}
