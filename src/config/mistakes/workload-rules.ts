import { compileAnchoredPattern } from '../../lib/patterns/anchored-pattern.ts';
import { messageOf } from '../../lib/errors.ts';
import { compileJsonPath } from '../../lib/patterns/json-path.ts';
import type { Path } from '../../lib/yaml/document.ts';
import type { ParsedSettings } from '../schema/schema.ts';
import { selectorMistakes } from './selectors.ts';

export type GivenRule = ParsedSettings['sources']['rules'][number];
type GivenValue = GivenRule['nodeFrom'][number];

interface Mistake {
  readonly path: Path;
  readonly message: string;
}

/** What cannot be meant in `sources.rules`: paths and patterns that do not compile, values from nowhere or from two places, names given twice. */
export function workloadRuleMistakes(rules: readonly GivenRule[]): readonly Mistake[] {
  return rules.flatMap((rule, index) => {
    const at = ['sources', 'rules', index];
    const twice = rules.findIndex(({ name }) => name === rule.name) !== index;
    const fields = Object.entries(rule.fields);
    return [
      ...(twice ? [{ path: [...at, 'name'], message: `must be unique: ${JSON.stringify(rule.name)} names another rule as well` }] : []),
      ...selectorMistakes([...at, 'selector'], withoutNodeName(rule.selector)),
      ...(fields.every(([, values]) => values.length === 0)
        ? [
            {
              path: [...at, 'fields'],
              message: 'must say something about the VMs: give at least one of imageRef, path and the others an entry',
            },
          ]
        : []),
      ...listMistakes([...at, 'nodeFrom'], rule.nodeFrom),
      ...fields.flatMap(([name, values]) => listMistakes([...at, 'fields', name], values)),
    ];
  });
}

function listMistakes(path: Path, values: readonly GivenValue[]): readonly Mistake[] {
  return values.flatMap((value, index) => valueMistakes([...path, index], value));
}

function valueMistakes(at: Path, { path, match, value, optional }: GivenValue): readonly Mistake[] {
  if ((path === undefined) === (value === undefined)) return [{ path: at, message: 'must have exactly one of path and value' }];
  if (path === undefined) {
    if (match === undefined && !optional) return [];
    return [{ path: at, message: 'has match or optional, which only mean something with path; remove them' }];
  }
  return [
    ...compileMistake([...at, 'path'], 'is not a JSONPath', () => compileJsonPath(path)),
    ...(match === undefined
      ? []
      : compileMistake([...at, 'match'], 'is not a regular expression that can be used', () => compileAnchoredPattern(match))),
  ];
}

function compileMistake(path: Path, what: string, compile: () => unknown): readonly Mistake[] {
  try {
    compile();
    return [];
  } catch (error) {
    return [{ path, message: `${what}: ${messageOf(error)}` }];
  }
}

const NODE_NAME = '$(NODE_NAME)';

/** The same with a name that may stand where the node's name will. */
function withoutNodeName(selector: GivenRule['selector']): GivenRule['selector'] {
  return withNodeName(selector, 'node');
}

/** `$(NODE_NAME)` stands for the node's name, as in a container's arguments. */
export function withNodeName(selector: GivenRule['selector'], nodeName: string): GivenRule['selector'] {
  if (selector === undefined) return undefined;
  const named = (value: string): string => nameNode(value, nodeName);
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => [key, named(value)] as const);
  return {
    matchLabels: Object.fromEntries(labels),
    matchExpressions: (selector.matchExpressions ?? []).map((it) => ({
      ...it,
      ...(it.values === undefined ? {} : { values: it.values.map(named) }),
    })),
  };
}

export function nameNode(value: string, nodeName: string): string {
  return value.replaceAll(NODE_NAME, nodeName);
}
