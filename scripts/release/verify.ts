/** Checks a published release against the source that this runs from: who signed it, and whether the source gives the same bytes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Access, oras, repositoryOf, tool } from './commands.ts';
import { ARCHITECTURES, chartName, imageSumsName, pluginName, type ReleaseFiles, sha256 } from './files.ts';
import { byDigest, published } from './publish.ts';
import type { Release } from './release.ts';
import { differences, type Sbom } from './sbom.ts';
import { readTar } from './tar.ts';

/** Whose signature counts: a public key's, or that of an identity which an issuer vouches for. */
export interface Trust extends Access {
  readonly key?: string | undefined;
  readonly identity?: string | undefined;
  readonly issuer?: string | undefined;
  readonly offline: boolean;
}

/** Yields one line for each thing that held. Throws at the first that did not. */
export async function* verifyRelease(release: Release, made: ReleaseFiles, trust: Trust): AsyncGenerator<string> {
  const names = published(release);
  const [image, chart, plugin] = [
    await byDigest(names.image, trust),
    await byDigest(names.chart, trust),
    await byDigest(names.plugin, trust),
  ];
  for (const reference of [image, chart, plugin]) {
    await verify('verify', trust, [reference]);
    yield `${reference} is signed`;
  }
  for (const sbom of await attested(image, 'cyclonedx', trust)) verifySbom(sbom, made.packages);
  yield `its list of parts names the ${made.packages.length} packages of the bundle, and no other`;
  for (const provenance of await attested(image, 'slsaprovenance1', trust)) verifyCommit(provenance, release);
  yield `it was made of commit ${release.revision}`;
  for (const [reference, file] of [
    [chart, chartName(release.version)],
    [plugin, pluginName(release.version)],
  ] as const) {
    const same = (await firstLayer(reference, trust)).equals(made.files.get(file) ?? Buffer.alloc(0));
    if (!same) throw new Error(`${reference} is not what this source gives (${file})`);
    yield `${file} is byte for byte what this source gives`;
  }
  for (const architecture of ARCHITECTURES) {
    const sums = imageSums(await lastLayer(image, architecture, trust));
    const expected = made.files.get(imageSumsName(release.version, architecture))?.toString() ?? '';
    const wrong = [...onlyIn(sums, expected, '+'), ...onlyIn(expected, sums, '-')];
    if (wrong.length > 0) throw new Error([`/app in ${image} for ${architecture} is not what this source gives:`, ...wrong].join('\n'));
    yield `/app of the image for ${architecture} is byte for byte what this source gives`;
  }
}

/** The lines of the first text that the second lacks, marked. */
function onlyIn(text: string, other: string, mark: string): string[] {
  const others = new Set(other.split('\n'));
  return text
    .split('\n')
    .filter((line) => !others.has(line))
    .map((line) => `${mark} ${line}`);
}

function verifyCommit(provenance: unknown, { revision }: Release): void {
  const { buildDefinition } = provenance as { buildDefinition: { resolvedDependencies: { digest: { gitCommit?: string } }[] } };
  const commit = buildDefinition.resolvedDependencies[0]?.digest.gitCommit;
  if (commit !== revision) throw new Error(`the release was made of commit ${commit}, and this is ${revision}: check that one out`);
}

export function verifySbom(sbom: unknown, packages: ReleaseFiles['packages']): void {
  const wrong = differences(sbom as Sbom, packages);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

/** cosign's answer. Rejects when the signature is another's, or when there is none. */
function verify(verb: 'verify' | 'verify-attestation', trust: Trust, args: readonly string[]): Promise<string> {
  const { key, identity = '', issuer = '', offline, plainHttp } = trust;
  const who = key === undefined ? [`--certificate-identity-regexp=${identity}`, `--certificate-oidc-issuer=${issuer}`] : [`--key=${key}`];
  const how = [...(offline ? ['--insecure-ignore-tlog'] : []), ...(plainHttp ? ['--allow-http-registry'] : [])];
  return tool('cosign', [verb, ...who, ...how, ...args]);
}

/** All statements of this type about an image, once their signatures have been checked. */
async function attested(reference: string, type: string, trust: Trust): Promise<readonly unknown[]> {
  const answer = await verify('verify-attestation', trust, [`--type=${type}`, reference]);
  return answer.split('\n').map((line) => {
    const { payload } = JSON.parse(line) as { payload: string };
    return (JSON.parse(Buffer.from(payload, 'base64').toString()) as { predicate: unknown }).predicate;
  });
}

interface Manifest {
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
}

async function manifestOf(reference: string, access: Access, options: readonly string[] = []): Promise<Manifest> {
  return JSON.parse(await oras(['manifest', 'fetch'], access, [...options, reference])) as Manifest;
}

async function firstLayer(reference: string, access: Access): Promise<Buffer> {
  return blob(reference, (await manifestOf(reference, access)).layers[0]?.digest ?? '', access);
}

/** The image's own layer: what the Dockerfile adds to its base. */
async function lastLayer(reference: string, architecture: string, access: Access): Promise<Buffer> {
  const { layers } = await manifestOf(reference, access, [`--platform=linux/${architecture}`]);
  return blob(reference, layers.at(-1)?.digest ?? '', access);
}

async function blob(reference: string, digest: string, access: Access): Promise<Buffer> {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-blob-'));
  try {
    const path = join(directory, 'blob');
    await oras(['blob', 'fetch'], access, [`--output=${path}`, `${repositoryOf(reference.replace(/@.*$/, ''))}@${digest}`]);
    return readFileSync(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** As `imageSumsName` has them. */
function imageSums(layer: Buffer): string {
  const files = [...readTar(layer)].map(([path, content]) => [path.replace(/^\.?\/?app\//, ''), content] as const);
  return files
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, content]) => `${sha256(content)}  ${name}\n`)
    .join('');
}
