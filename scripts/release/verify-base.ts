/** Checks what of a released image is not `/app`: the layers of its base, and how it starts. */
import { readFileSync } from 'node:fs';
import { accessTo } from './bases.ts';
import { type Access, oras, repositoryOf } from './commands.ts';
import { configDifferences, expectedConfig, type ImageConfig } from './image-config.ts';
import type { Release } from './release.ts';

interface Configuration {
  readonly config?: ImageConfig;
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

/** The base that a provenance names, by digest. Throws where it is another image than the Dockerfile's, whose name is `named`. */
export function baseIn(provenance: unknown, named: string): string {
  const { buildDefinition } = provenance as {
    buildDefinition: { resolvedDependencies: { name?: string; uri: string; digest: { sha256?: string } }[] };
  };
  const found = buildDefinition.resolvedDependencies.find(({ name }) => name === 'RUNTIME_IMAGE');
  if (found?.digest.sha256 === undefined) throw new Error('the provenance does not say which base image the release stands on');
  const expected = named.includes('@') ? named.replace(/@.*$/, '') : repositoryOf(named);
  if (found.uri !== expected) throw new Error(`the release stands on ${found.uri}, and this source names ${expected}`);
  const base = `${found.uri}@sha256:${found.digest.sha256}`;
  if (named.includes('@') && named !== base) throw new Error(`the release stands on ${base}, and this source names ${named}`);
  return base;
}

/** Throws unless the image is its base and one layer more, and starts as the Dockerfile says. */
export async function verifyOnBase(
  root: string,
  release: Release,
  { image, base, architecture }: { readonly image: string; readonly base: string; readonly architecture: string },
  access: Access,
): Promise<void> {
  const found = await configurationOf(image, architecture, access);
  const below = await configurationOf(base, architecture, accessTo(base, access));
  if (!isOneLayerOn(found.rootfs.diff_ids, below.rootfs.diff_ids))
    throw new Error(`${image} for ${architecture} has other layers than those of ${base}, and one more`);
  const args = { VERSION: release.version, REVISION: release.revision };
  const expected = expectedConfig(readFileSync(`${root}Dockerfile`, 'utf8'), below.config ?? {}, args);
  const wrong = configDifferences(expected, found.config ?? {});
  if (wrong.length > 0) throw new Error([`${image} for ${architecture} does not start as this source says:`, ...wrong].join('\n'));
}

/** By the digests of the layers as they are unpacked: how they are compressed is the registry's and the builder's business. */
export function isOneLayerOn(layers: readonly string[], base: readonly string[]): boolean {
  return layers.length === base.length + 1 && base.every((layer, index) => layer === layers[index]);
}

async function configurationOf(reference: string, architecture: string, access: Access): Promise<Configuration> {
  try {
    return JSON.parse(await oras(['manifest', 'fetch-config'], access, [`--platform=linux/${architecture}`, reference])) as Configuration;
  } catch (error) {
    throw new Error(`the configuration of ${reference} for ${architecture} cannot be read; its registry must be reachable`, {
      cause: error,
    });
  }
}
