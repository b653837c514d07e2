import { stringify } from 'yaml';
import type { Release } from './release.ts';

/** The manifest by which krew installs the plugin from the release's archive. */
export function krewManifest(release: Release, archive: { readonly name: string; readonly sha256: string }): string {
  const platform = (os: string) => ({
    selector: { matchLabels: { os } },
    uri: `${release.source}/releases/download/v${release.version}/${archive.name}`,
    sha256: archive.sha256,
    bin: 'kubectl-basekeeper',
    files: [
      { from: 'kubectl-basekeeper', to: '.' },
      { from: 'kubectl_complete-basekeeper', to: '.' },
      { from: 'LICENSE', to: '.' },
      { from: 'NOTICES.txt', to: '.' },
    ],
  });
  return stringify(
    {
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
      metadata: { name: 'basekeeper' },
      spec: {
        version: `v${release.version}`,
        homepage: release.source,
        shortDescription: 'See and steer the clean-up of base images on nodes',
        description: 'Shows what the Basekeeper agents of all nodes keep, remove and wait for, starts passes, and sets modes.',
        caveats:
          'Needs Node.js 24 or newer on PATH. For completion: kubectl basekeeper completion kubectl, into an executable kubectl_complete-basekeeper on PATH.',
        platforms: ['linux', 'darwin'].map(platform),
      },
    },
    { lineWidth: 0 },
  );
}
