import {
  DOORS,
  EXIT_WHY,
  IMPURE_GLOBALS,
  LAYERS,
  PURE_LIB,
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

/** The first part below src: `plan` of src/plan/rules.ts, `main` of src/main.ts. */
function layerOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '');
}

export function isPure(path: string): boolean {
  return STAGES_WITH_PURE_FILES.includes(layerOf(path)) && !SHELLS.includes(path) && !path.endsWith('.d.ts');
}

function targetsOf(path: string, { specifiers }: SourceFacts): { sources: string[]; packages: string[] } {
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
  const own = (target: string) => layerOf(target) === layerOf(path) && !SHELLS.includes(target);
  return [
    ...sources
      .filter((target) => !own(target) && layerOf(target) !== 'model' && !PURE_LIB.includes(target))
      .map((target) => `imports ${target}`),
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
  return globals.has('process.exit') && path !== 'src/process.ts' ? [`${path} calls process.exit: ${EXIT_WHY}`] : [];
}
