/** Checks a published release against the source that this runs from: who signed it, and whether the source gives the same bytes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namedBases } from './bases.ts';
import { type Access, oras, repositoryOf, tool } from './commands.ts';
import { ARCHITECTURES, chartName, imageSumsName, pluginName, type ReleaseFiles, sha256 } from './files.ts';
import { byDigest, published } from './publish.ts';
import type { Release } from './release.ts';
import { differences, type Sbom } from './sbom.ts';
import { readTar } from './tar.ts';
import { baseIn, verifyOnBase } from './verify-base.ts';

/** Whose signature counts: a public key's, or that of an identity which an issuer vouches for, and no other's. */
export interface Trust extends Access {
  readonly key?: string | undefined;
  /** Default: the workflow of the source, at the tag of the version. */
  readonly identity?: string | undefined;
  readonly issuer: string;
  readonly offline: boolean;
  /** The name of the base image, where it is not the Dockerfile's. */
  readonly runtimeImage?: string | undefined;
}

/** Who signs a release that the repository's workflow makes. */
export function workflowIdentity({ source, version }: Pick<Release, 'source' | 'version'>): string {
  return `${source}/.github/workflows/release.yaml@refs/tags/v${version}`;
}

/** As cosign takes it. */
export function signerOptions(
  release: Pick<Release, 'source' | 'version'>,
  { key, identity, issuer }: Omit<Trust, keyof Access>,
): string[] {
  if (key !== undefined) return [`--key=${key}`];
  return [`--certificate-identity=${identity ?? workflowIdentity(release)}`, `--certificate-oidc-issuer=${issuer}`];
}

/** The same, as cosign takes it. */
interface Signer extends Access {
  readonly options: readonly string[];
  readonly offline: boolean;
}

/** Yields one line for each thing that held. Throws at the first that did not. */
export async function* verifyRelease(root: string, release: Release, made: ReleaseFiles, trusted: Trust): AsyncGenerator<string> {
  const names = published(release);
  const trust: Signer = { ...trusted, options: signerOptions(release, trusted) };
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
  const provenances = await attested(image, 'slsaprovenance1', trust);
  for (const provenance of provenances) verifyCommit(provenance, release);
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
  const named = trusted.runtimeImage ?? namedBases(root).RUNTIME_IMAGE;
  for (const base of new Set(provenances.map((provenance) => baseIn(provenance, named)))) {
    for (const architecture of ARCHITECTURES) await verifyOnBase(root, release, { image, base, architecture }, trust);
    yield `below it is ${base} and nothing else, and it starts as this source says`;
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
function verify(verb: 'verify' | 'verify-attestation', { options, offline, plainHttp }: Signer, args: readonly string[]): Promise<string> {
  const how = [...(offline ? ['--insecure-ignore-tlog'] : []), ...(plainHttp ? ['--allow-http-registry'] : [])];
  return tool('cosign', [verb, ...options, ...how, ...args]);
}

/** All statements of this type about an image, once their signatures have been checked. */
async function attested(reference: string, type: string, trust: Signer): Promise<readonly unknown[]> {
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
