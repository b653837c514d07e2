import type { Path } from '../../lib/yaml/document.ts';
import type { ParsedSettings } from '../schema/schema.ts';

type GivenSelector = ParsedSettings['sources']['pods']['selector'];
interface SelectorMistake {
  readonly path: Path;
  readonly message: string;
}

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** What Kubernetes would refuse in a label selector, and a selector that selects everything. Mirrors apimachinery's `ValidateLabelSelector`. */
export function selectorMistakes(path: Path, selector: GivenSelector): readonly SelectorMistake[] {
  if (selector === undefined) return [];
  const labels = Object.entries(selector.matchLabels ?? {});
  const requirements = selector.matchExpressions ?? [];
  if (labels.length + requirements.length === 0) {
    return [{ path, message: 'must not be empty, because an empty selector selects every pod; add matchLabels or matchExpressions' }];
  }
  return [
    ...labels.flatMap(([key, value]) => [
      ...keyMistake([...path, 'matchLabels', key], key),
      ...valueMistake([...path, 'matchLabels', key], value),
    ]),
    ...requirements.flatMap(({ key, operator, values = [] }, index) => {
      const at = [...path, 'matchExpressions', index];
      const wantsValues = operator === 'In' || operator === 'NotIn';
      return [
        ...keyMistake([...at, 'key'], key),
        ...(wantsValues && values.length === 0
          ? [{ path: at, message: `must have at least one of values, because its operator is ${operator}` }]
          : []),
        ...(!wantsValues && values.length > 0
          ? [{ path: [...at, 'values'], message: `must be removed, because the operator is ${operator}` }]
          : []),
        ...values.flatMap((value, place) => valueMistake([...at, 'values', place], value)),
      ];
    }),
  ];
}

function keyMistake(path: Path, key: string): readonly SelectorMistake[] {
  const slash = key.lastIndexOf('/');
  const valid = LABEL_NAME.test(key.slice(slash + 1)) && (slash === -1 || LABEL_PREFIX.test(key.slice(0, slash)));
  return valid
    ? []
    : [{ path, message: `cannot match: ${JSON.stringify(key)} is not a label key; write one such as app.kubernetes.io/name` }];
}

function valueMistake(path: Path, value: string): readonly SelectorMistake[] {
  if (value === '' || LABEL_NAME.test(value)) return [];
  return [
    { path, message: `cannot match: ${JSON.stringify(value)} is not a label value; use at most 63 letters, digits, "-", "_" and "."` },
  ];
}
