import { posix } from 'node:path';
import {
  DOORS,
  EXIT_WHY,
  IMPURE_GLOBALS,
  LAYERS,
  PURE_BELOW,
  PURE_PACKAGES,
  PURE_WHY,
  SHELLS,
  STAGES_WITH_PURE_FILES,
} from './architecture-rules.ts';
import { readSource, resolveSpecifier, type SourceFacts } from './imports.ts';

/** Paths from the root, such as `src/plan/rules.ts`, with their text. */
export type Sources = Readonly<Record<string, string>>;

/** One sentence for each import or global that the table refuses; empty when the layout holds. */
export function violations(sources: Sources): string[] {
  return Object.entries(sources).flatMap(([path, text]) => {
    const facts = readSource(path, text);
    const layer = layerOf(path);
    const known = LAYERS[layer];
    if (known === undefined) return [`${path} is in no layer of the table: name one for src/${layer}, and say what it may import.`];
    return [
      ...layerViolations(path, facts),
      ...purityViolations(path, facts),
      ...doorViolations(path, facts),
      ...exitViolations(path, facts),
    ];
  });
}

/** The first folder below src: `plan` of src/plan/rules.ts. */
export function layerOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '');
}

export function isPure(path: string): boolean {
  return STAGES_WITH_PURE_FILES.includes(layerOf(path)) && !SHELLS.includes(path) && !path.endsWith('.d.ts');
}

export function targetsOf(path: string, { specifiers }: SourceFacts): { sources: string[]; packages: string[] } {
  const targets = specifiers.map((specifier) => resolveSpecifier(path, specifier));
  return { sources: targets.filter((it) => it.startsWith('src/')), packages: targets.filter((it) => !it.startsWith('src/')) };
}

function layerViolations(path: string, facts: SourceFacts): string[] {
  const layer = layerOf(path);
  const allowed = new Set([layer, ...(LAYERS[layer]?.mayImport ?? [])]);
  return targetsOf(path, facts)
    .sources.filter((target) => !allowed.has(layerOf(target)) && !allowed.has(target.slice('src/'.length)))
    .map((target) => `${path} imports ${target}: ${LAYERS[layer]?.why}`);
}

function purityViolations(path: string, facts: SourceFacts): string[] {
  if (!isPure(path)) return [];
  const { sources } = targetsOf(path, facts);
  const packages = facts.bindings.filter((it) => !it.startsWith('.'));
  return [
    ...sources.filter((target) => !isPure(target) && !PURE_BELOW.includes(target)).map((target) => `imports ${target}`),
    ...new Set(packages.filter((it) => !isPureImport(it)).map((it) => `imports ${it.replace(/#.*/, '')}`)),
    ...IMPURE_GLOBALS.filter((name) => facts.globals.has(name)).map((name) => `uses ${name}`),
  ].map((what) => `${path} ${what}: ${PURE_WHY}`);
}

function isPureImport(binding: string): boolean {
  return PURE_PACKAGES.includes(binding) || PURE_PACKAGES.includes(binding.replace(/#.*/, ''));
}

function doorViolations(path: string, facts: SourceFacts): string[] {
  return targetsOf(path, facts).packages.flatMap((name) => {
    const guarded = DOORS[name];
    return guarded === undefined || path.startsWith(guarded.door) ? [] : [`${path} imports ${name}: ${guarded.why}`];
  });
}

function exitViolations(path: string, { globals }: SourceFacts): string[] {
  return globals.has('process.exit') && path !== 'src/bin/process.ts' ? [`${path} calls process.exit: ${EXIT_WHY}`] : [];
}

/** `LAYER may import X, and does not`: an arrow of the table that no file uses. */
export function unusedAllowances(sources: Sources): string[] {
  const used = new Map<string, Set<string>>();
  for (const [path, text] of Object.entries(sources)) {
    const { sources: targets } = targetsOf(path, readSource(path, text));
    const layer = used.get(layerOf(path)) ?? new Set<string>();
    for (const target of targets) layer.add(layerOf(target)).add(target.slice('src/'.length));
    used.set(layerOf(path), layer);
  }
  return Object.entries(LAYERS).flatMap(([layer, { mayImport }]) =>
    mayImport.filter((name) => used.get(layer)?.has(name) !== true).map((name) => `${layer} may import ${name}, and does not`),
  );
}

/** Groups of files that import one another in a circle, each as `a ↔ b`. Imports of types count. */
export function cyclesOf(sources: Sources): string[] {
  const targets = new Map(Object.entries(sources).map(([path, text]) => [path, targetsOf(path, readSource(path, text)).sources]));
  const reachable = new Map([...targets.keys()].map((path) => [path, reachableFrom(path, targets)]));
  const groups = [...targets.keys()].map((path) =>
    [...targets.keys()].filter((other) => reachable.get(path)?.has(other) === true && reachable.get(other)?.has(path) === true),
  );
  return [...new Set(groups.filter(({ length }) => length > 0).map((group) => group.toSorted().join(' ↔ ')))];
}

function reachableFrom(start: string, targets: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const open = [...(targets.get(start) ?? [])];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    open.push(...(targets.get(path) ?? []));
  }
  return found;
}

const MAX_FILES_IN_FOLDER = 20;

function byFolder(paths: readonly string[]): [string, string[]][] {
  return [...Map.groupBy(paths, (path) => posix.dirname(path))];
}

export function crowdedFolders(paths: readonly string[]): string[] {
  return byFolder(paths)
    .filter(([, files]) => files.length > MAX_FILES_IN_FOLDER)
    .map(([folder, files]) => `${folder}: ${files.length} files`);
}

/** Prefixes (up to the first hyphen) that three files of a folder share: they belong into a folder of that name. */
export function sharedPrefixes(paths: readonly string[]): string[] {
  return byFolder(paths).flatMap(([folder, files]) => {
    const prefixes = Map.groupBy(files, (path) => posix.basename(path).replace(/\.ts$/, '').split('-', 1)[0] ?? '');
    return [...prefixes].filter(([, group]) => group.length > 2).map(([prefix]) => `${folder}/${prefix}-*`);
  });
}
