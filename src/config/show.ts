import { Document, isMap, isPair, isScalar, type YAMLMap } from 'yaml';
import type { Path } from '../lib/yaml/document.ts';
import { keysAt } from './mistakes/key-paths.ts';
import type { CompleteSettings } from './normalize.ts';

/** A value of the settings, or a list as a whole. */
export interface SettingLeaf {
  /** As documents write it: `http.port`. */
  readonly key: string;
  /** As JSON. */
  readonly value: string;
  readonly origin: string | undefined;
}

/** Every value of the settings, in their order. */
export function leavesOf(settings: CompleteSettings, originOf: (path: Path) => string | undefined): readonly SettingLeaf[] {
  const below = (section: object, path: Path): SettingLeaf[] =>
    Object.entries(section).flatMap(([name, value]: [string, unknown]) => {
      const at = [...path, name];
      const isSection = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
      if (isSection) return below(value, at);
      return value === undefined ? [] : [{ key: at.join('.'), value: JSON.stringify(value), origin: originOf(at) }];
    });
  return below(inOrder(settings), []);
}

/** Complete settings as YAML text; each value that is not a default has a comment that says where it comes from. */
export function settingsYaml(settings: CompleteSettings, originOf: (path: Path) => string | undefined): string {
  const document = new Document(inOrder(settings));
  if (isMap(document.contents)) comment(document.contents, [], originOf);
  return document.toString({ lineWidth: 0 });
}

/** As the schema and so the documentation lists the keys. */
export function inOrder(settings: CompleteSettings): Partial<CompleteSettings> {
  const order = keysAt([]);
  return Object.fromEntries(Object.entries(settings).toSorted(([left], [right]) => order.indexOf(left) - order.indexOf(right)));
}

function comment(section: YAMLMap, path: Path, originOf: (path: Path) => string | undefined): void {
  for (const pair of section.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue;
    const at = [...path, String(pair.key.value)];
    if (isMap(pair.value)) comment(pair.value, at, originOf);
    const origin = originOf(at);
    if (isScalar(pair.value) && origin !== undefined) pair.value.comment = ` ${origin}`;
  }
}
