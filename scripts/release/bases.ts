/** The images that the Dockerfile begins with: their tags lead elsewhere from one day to the next, so a release names them by digest. */
import { readFileSync } from 'node:fs';
import { type Access, digestOf, repositoryOf } from './commands.ts';

const BASES = ['BUILD_IMAGE', 'RUNTIME_IMAGE'] as const;
type Base = (typeof BASES)[number];

/** Name without a tag, then the digest: `gcr.io/distroless/nodejs24-debian12@sha256:…`. */
export type Bases = Readonly<Record<Base, string>>;

/** What the Dockerfile names, or an option `--build-arg=BASE=…` of the build in its place. */
export function namedBases(root: string, buildOptions: readonly string[] = []): Bases {
  const dockerfile = readFileSync(`${root}Dockerfile`, 'utf8');
  const named = BASES.map((base) => {
    const option = buildOptions.findLast((it) => it.startsWith(`--build-arg=${base}=`));
    const name = option?.slice(`--build-arg=${base}=`.length) ?? new RegExp(`^ARG ${base}=(\\S+)$`, 'm').exec(dockerfile)?.[1];
    if (name === undefined) throw new Error(`the Dockerfile has no ARG ${base}`);
    return [base, name] as const;
  });
  return Object.fromEntries(named) as Record<Base, string>;
}

/** The same by digest, as the registries have them now. */
export async function pinnedBases(named: Bases, access: Access): Promise<Bases> {
  const pinned = BASES.map(async (base) => [base, await byDigestOf(named[base], access)] as const);
  return Object.fromEntries(await Promise.all(pinned)) as Record<Base, string>;
}

async function byDigestOf(name: string, access: Access): Promise<string> {
  if (name.includes('@sha256:')) return name;
  const digest = await digestOf(name, accessTo(name, access));
  if (digest === undefined) throw new Error(`the base image ${name} does not exist`);
  return `${repositoryOf(name)}@${digest}`;
}

/** Plain HTTP is for loopback alone, were the release there or elsewhere. */
export function accessTo(name: string, { plainHttp }: Access): Access {
  return { plainHttp: plainHttp && /^(?:localhost|127\.0\.0\.1)[:/]/.test(name) };
}

/** The options of a build that stands on these, whatever it was told before. */
export function buildOptionsFor(bases: Bases, buildOptions: readonly string[]): string[] {
  const others = buildOptions.filter((option) => !BASES.some((base) => option.startsWith(`--build-arg=${base}=`)));
  return [...others, ...BASES.map((base) => `--build-arg=${base}=${bases[base]}`)];
}

/** As SLSA's provenance lists what went into a build. */
export function baseDependencies(bases: Bases): object[] {
  return BASES.map((base) => {
    const [uri, digest = ''] = bases[base].split('@sha256:');
    return { name: base, uri, digest: { sha256: digest } };
  });
}
