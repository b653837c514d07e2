type Values = Readonly<Record<string, unknown>>;

/** All of them in one document: sections are joined, and so are lists. */
export function joinValues(all: readonly object[]): Values {
  return all.reduce<Values>((joined, values) => joinSections(joined, values as Values), {});
}

function joinSections(left: Values, right: Values): Values {
  const joined = new Map(Object.entries(left));
  for (const [key, value] of Object.entries(right)) joined.set(key, joined.has(key) ? joinOne(joined.get(key), value) : value);
  return Object.fromEntries(joined);
}

function joinOne(left: unknown, right: unknown): unknown {
  if (Array.isArray(left) && Array.isArray(right)) return joinLists(left, right);
  return isSection(left) && isSection(right) ? joinSections(left, right) : right;
}

/** Two workloads with the same labels need one entry. */
function joinLists(left: readonly unknown[], right: readonly unknown[]): unknown[] {
  const known = new Set(left.map((entry) => JSON.stringify(entry)));
  return [...left, ...right.filter((entry) => !known.has(JSON.stringify(entry)))];
}

function isSection(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
