/** The list of parts of a release (CycloneDX): the packages that the bundler took, each with its licence and the hash that npm checked. */
import { createHash } from 'node:crypto';
import type { BundledPackage } from '../lib/bundle/inventory.ts';
import type { Release } from './release.ts';

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

export interface Sbom {
  readonly components: readonly Component[];
}

/** As package-lock.json has them, by directory. */
type LockedPackages = Readonly<Record<string, { readonly integrity?: string }>>;

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

export function sbomOf(packages: readonly BundledPackage[], locked: LockedPackages, release: Release): Sbom {
  const components = packages.map((bundled) => ({
    type: 'library',
    'bom-ref': purl(bundled.name, bundled.version),
    name: bundled.name,
    version: bundled.version,
    purl: purl(bundled.name, bundled.version),
    licenses: [{ expression: bundled.license }],
    hashes: [hashOf(bundled, locked)],
  }));
  const own = purl('basekeeper', release.version);
  const digest = createHash('sha256')
    .update(JSON.stringify([own, components]))
    .digest('hex');
  const uuid = digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-5$3-8$4-$5');
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': own, name: 'basekeeper', version: release.version, purl: own } },
    components,
    dependencies: [{ ref: own, dependsOn: components.map((component) => component['bom-ref']) }],
  } as Sbom;
}

function hashOf({ name, directory }: BundledPackage, locked: LockedPackages): { alg: string; content: string } {
  const integrity = locked[directory.slice(0, -1)]?.integrity ?? '';
  if (!integrity.startsWith('sha512-')) throw new Error(`package-lock.json has no sha512 hash of ${name} (${directory})`);
  return { alg: 'SHA-512', content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') };
}

/** How the list differs from what is in the bundle: one line for each package that is missing from it, or that the bundle does not have. */
export function differences(sbom: Sbom, packages: readonly BundledPackage[]): readonly string[] {
  const listed = new Set(sbom.components.map((component) => component.purl));
  const bundled = new Set(packages.map(({ name, version }) => purl(name, version)));
  return [
    ...[...bundled].filter((it) => !listed.has(it)).map((it) => `${it} is in the bundle, and the list of parts lacks it`),
    ...[...listed].filter((it) => !bundled.has(it)).map((it) => `${it} is in the list of parts, and the bundle lacks it`),
  ];
}
