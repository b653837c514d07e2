import { readFileSync } from 'node:fs';
import { baseDependencies, type Bases } from './bases.ts';
import { sha256 } from './files.ts';
import type { Release } from './release.ts';

/** How a release came about, as SLSA's provenance 1.0 says it: which command, on which commit, run by whom. */
export function provenanceOf(
  root: string,
  release: Release,
  { bases, env }: { readonly bases: Bases; readonly env: NodeJS.ProcessEnv },
): object {
  const { version, registry, source, revision } = release;
  const run = env['GITHUB_RUN_ID'];
  return {
    buildDefinition: {
      buildType: `${source}/blob/v${version}/docs/verifying.md`,
      externalParameters: { command: 'npm run release', version, registry, source },
      internalParameters: { node: process.version },
      resolvedDependencies: [
        { uri: `git+${source}@refs/tags/v${version}`, digest: { gitCommit: revision } },
        { uri: 'package-lock.json', digest: { sha256: sha256(readFileSync(`${root}package-lock.json`)) } },
        { uri: 'Dockerfile', digest: { sha256: sha256(readFileSync(`${root}Dockerfile`)) } },
        ...baseDependencies(bases),
      ],
    },
    runDetails: {
      builder: { id: run === undefined ? `${source}/by-hand` : `${source}/.github/workflows/release.yaml` },
      metadata: { invocationId: run === undefined ? revision : `${source}/actions/runs/${run}` },
    },
  };
}
