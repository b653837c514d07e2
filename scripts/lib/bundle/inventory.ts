/** What esbuild says it took into a bundle, package by package: for the notices in the image and for the list of parts of a release. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Metafile } from 'esbuild';

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As package.json says it: an SPDX expression. */
  readonly license: string;
  /** Below the project's root, with "/" at its end. */
  readonly directory: string;
}

const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+\//;

/** The packages of which at least one byte is in an output, sorted by name and version. `root`: where `node_modules` lies, with "/" at its end. */
export function bundledPackages(root: string, metafiles: readonly Metafile[]): readonly BundledPackage[] {
  const outputs = metafiles.flatMap((metafile) => Object.values(metafile.outputs));
  const inputs = outputs.flatMap((output) => Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0));
  const directories = new Set(inputs.map(([path]) => PACKAGE.exec(path)?.[0]).filter((it) => it !== undefined));
  return [...directories].map((directory) => readPackage(root, directory)).toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

/** Such as `yaml@2.9.1`. */
export function keyOf({ name, version }: BundledPackage): string {
  return `${name}@${version}`;
}

function readPackage(root: string, directory: string): BundledPackage {
  const path = `${directory}package.json`;
  const { name, version, license } = JSON.parse(readFileSync(root + path, 'utf8')) as Partial<BundledPackage>;
  if (name === undefined || version === undefined || typeof license !== 'string') {
    throw new Error(`${path} lacks a name, a version or a licence: nobody may ship a package whose licence is unknown`);
  }
  return { name, version, license, directory };
}

const LEGAL_FILE = /^(?:licen[cs]e|notice|copying)/i;

/** The licences and notices of these packages, word for word. */
export function notices(root: string, packages: readonly BundledPackage[]): string {
  const chapters = packages.map((bundled) => {
    const files = readdirSync(root + bundled.directory).filter((name) => LEGAL_FILE.test(name));
    const texts = files
      .toSorted()
      .map((name) => readFileSync(`${root}${bundled.directory}${name}`, 'utf8').replaceAll('\r\n', '\n').trim());
    const title = `${keyOf(bundled)} (${bundled.license})`;
    return [title, '='.repeat(title.length), ...(texts.length === 0 ? ['The package has no file with its licence.'] : texts)].join('\n\n');
  });
  return `This program has parts of the packages below.\n\n${chapters.join('\n\n\n')}\n`;
}
