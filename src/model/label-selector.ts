/** Kubernetes' `metav1.LabelSelector`. Empty: selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly LabelRequirement[] | undefined;
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[] | undefined;
}

/** Whether labels match, as `metav1.LabelSelectorAsSelector` decides: `NotIn` matches an object that lacks the key. */
export function matchesLabels(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels.get(key) === value);
  return equal && (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels.get(requirement.key)));
}

function meets({ operator, values = [] }: LabelRequirement, value: string | undefined): boolean {
  const listed = value !== undefined && values.includes(value);
  const answers = { In: listed, NotIn: !listed, Exists: value !== undefined, DoesNotExist: value === undefined };
  return answers[operator];
}

/** The selector as the query parameter `labelSelector`; empty for one that selects everything. Mirrors `labels.Selector`'s `String`. */
export function selectorQuery(selector: LabelSelector): string {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return [...equal, ...(selector.matchExpressions ?? []).map(requirementQuery)].join(',');
}

function requirementQuery({ key, operator, values = [] }: LabelRequirement): string {
  const list = `(${values.join(',')})`;
  return { In: `${key} in ${list}`, NotIn: `${key} notin ${list}`, Exists: key, DoesNotExist: `!${key}` }[operator];
}
