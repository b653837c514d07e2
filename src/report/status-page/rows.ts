import { createHash } from 'node:crypto';
import type { PlannedFile } from '../../model/plan.ts';
import { MAX_PAGE, PAGE_ROWS, type SortKey, type StatusQuery } from './query.ts';

/** The rows of one page. */
export interface StatusSelection {
  readonly rows: readonly PlannedFile[];
  /** How many files match the filter. */
  readonly matches: number;
  /** The page that is shown: the last one where a later one was asked for. */
  readonly page: number;
  readonly pages: number;
}

export interface StatusSelector {
  add(file: PlannedFile): void;
  finish(): StatusSelection;
}

/** Rows that are kept at least before the ones that cannot be shown are dropped. */
const SMALLEST_BUFFER = 2000;

/** Finds the rows of a page among any number of files with memory for those up to that page only. */
export function statusSelector(query: StatusQuery): StatusSelector {
  const wanted = query.page * PAGE_ROWS;
  const compare = comparison(query);
  const matchesText = textMatcher(query.text);
  let best: PlannedFile[] = [];
  let matches = 0;
  return {
    add(file) {
      if (!matchesChoices(file, query) || !matchesText(file)) return;
      matches++;
      best.push(file);
      if (best.length >= Math.max(SMALLEST_BUFFER, wanted * 2)) best = best.toSorted(compare).slice(0, wanted);
    },
    finish() {
      const pages = Math.min(Math.max(1, Math.ceil(matches / PAGE_ROWS)), MAX_PAGE);
      const page = Math.min(query.page, pages);
      const rows = best.toSorted(compare).slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS);
      return { rows, matches, page, pages };
    },
  };
}

function matchesChoices(file: PlannedFile, { kind, verdict, reason }: StatusQuery): boolean {
  return (
    (kind === undefined || file.kind === kind) &&
    (verdict === undefined || file.verdict === verdict) &&
    (reason === undefined || file.reason === reason)
  );
}

function textMatcher(text: string): (file: PlannedFile) => boolean {
  if (text === '') return () => true;
  const wanted = text.toLowerCase();
  // Files of an image that nothing uses any more know it by its digest only.
  const digest = createHash('sha1').update(text).digest('hex');
  const has = (value: string): boolean => value.toLowerCase().includes(wanted);
  return ({ name, usedBy }) => has(name) || name.startsWith(digest) || usedBy.some(({ by, value }) => has(by) || has(value));
}

const VALUES: Readonly<Record<SortKey, (file: PlannedFile) => string | number>> = {
  name: ({ name }) => name,
  kind: ({ kind }) => kind,
  size: ({ allocatedBytes }) => allocatedBytes,
  age: ({ ageSeconds }) => ageSeconds,
  verdict: ({ verdict, outcome }) => `${verdict} ${outcome ?? ''}`,
  reason: ({ reason }) => reason,
  users: ({ usedBy }) => usedBy.length,
};

/** Equal rows are ordered by name, so that no page shows a row twice. */
function comparison({ sort, descending }: StatusQuery): (a: PlannedFile, b: PlannedFile) => number {
  const valueOf = VALUES[sort];
  const sign = descending ? -1 : 1;
  return (a, b) => sign * order(valueOf(a), valueOf(b)) || order(a.name, b.name);
}

function order<T extends string | number>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
