import { Document, isMap, isPair, isScalar, type YAMLMap } from 'yaml';
import type { Path } from '../lib/yaml/document.ts';
import { keysAt } from './mistakes/key-paths.ts';
import type { CompleteSettings } from './normalize.ts';

/** Complete settings as JSON text. */
export function settingsJson(settings: CompleteSettings): string {
  return `${JSON.stringify(inOrder(settings), null, 2)}\n`;
}

/** Complete settings as YAML text; each value that is not a default has a comment that says where it comes from. */
export function settingsYaml(settings: CompleteSettings, originOf: (path: Path) => string | undefined): string {
  const document = new Document(inOrder(settings));
  if (isMap(document.contents)) comment(document.contents, [], originOf);
  return document.toString({ lineWidth: 0 });
}

/** As the schema and so the documentation lists the keys. */
function inOrder(settings: CompleteSettings): Partial<CompleteSettings> {
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
