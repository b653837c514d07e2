/** Pushes what a release consists of, signs each part, and attaches to the image the list of its parts and how it came about. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildOptionsFor, namedBases, pinnedBases } from './bases.ts';
import { type Access, digestOf, oras, pushChart, repositoryOf, tool } from './commands.ts';
import { chartName, checksumsName, pluginName, sbomName } from './files.ts';
import { type ImageOptions, pushImage } from './image.ts';
import { provenanceOf } from './provenance.ts';
import type { Release } from './release.ts';

export interface Signing extends Access {
  /** The private key, in a file or as cosign names one; without it, the identity of the one who runs this signs (keyless). */
  readonly key?: string | undefined;
  /** Without the public log of signatures, for a rehearsal. */
  readonly offline: boolean;
}

/** The names under which a release is in its registry. */
export function published({
  registry,
  version,
}: Pick<Release, 'registry' | 'version'>): Readonly<Record<'image' | 'chart' | 'plugin', string>> {
  return {
    image: `${registry}/basekeeper:${version}`,
    chart: `${registry}/charts/basekeeper:${version}`,
    plugin: `${registry}/kubectl-basekeeper:${version}`,
  };
}

/** `directory`: where the release's files are. Returns what was pushed, each with its digest. */
export async function publish(root: string, directory: string, release: Release, options: Signing & ImageOptions): Promise<string[]> {
  const names = published(release);
  const bases = await pinnedBases(namedBases(root, options.buildOptions), options);
  const buildOptions = buildOptionsFor(bases, options.buildOptions);
  const digest = await pushImage(root, release, names.image, { ...options, buildOptions });
  await pushChart(join(directory, chartName(release.version)), release.registry, options);
  await oras(['push'], options, [names.plugin, `${pluginName(release.version)}:application/gzip`], { cwd: directory });
  const pushed = [`${repositoryOf(names.image)}@${digest}`, await byDigest(names.chart, options), await byDigest(names.plugin, options)];
  await sign(pushed, options);
  await attest(pushed[0] ?? '', 'cyclonedx', join(directory, sbomName(release.version)), options);
  await attestStatement(pushed[0] ?? '', 'slsaprovenance1', provenanceOf(root, release, { bases, env: process.env }), options);
  const sums = join(directory, checksumsName);
  await cosign('sign-blob', options, [`--bundle=${sums}.bundle`, sums]);
  return pushed;
}

export async function byDigest(reference: string, access: Access): Promise<string> {
  const digest = await digestOf(reference, access);
  if (digest === undefined) throw new Error(`${reference} is not there`);
  return `${repositoryOf(reference)}@${digest}`;
}

async function sign(references: readonly string[], options: Signing): Promise<void> {
  for (const reference of references) await cosign('sign', options, [reference]);
}

export function attest(reference: string, type: string, predicate: string, options: Signing): Promise<string> {
  return cosign('attest', options, [`--type=${type}`, `--predicate=${predicate}`, reference]);
}

/** Signs that this is true of the image. */
async function attestStatement(reference: string, type: string, statement: object, options: Signing): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-statement-'));
  try {
    const path = join(directory, 'statement.json');
    writeFileSync(path, JSON.stringify(statement));
    await attest(reference, type, path, options);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function cosign(verb: 'sign' | 'attest' | 'sign-blob', { key, offline, plainHttp }: Signing, args: readonly string[]): Promise<string> {
  const how = ['--yes', ...(key === undefined ? [] : [`--key=${key}`]), ...(offline ? ['--tlog-upload=false'] : [])];
  return tool('cosign', [verb, ...how, ...(plainHttp && verb !== 'sign-blob' ? ['--allow-http-registry'] : []), ...args]);
}
