import { BASE_FILE_KINDS, type BaseFileKind } from '../../model/scan.ts';
import type { Verdict } from '../../model/plan.ts';
import { VERDICT_REASONS, type VerdictReason } from '../../model/reasons.ts';

export const SORT_KEYS = ['name', 'kind', 'size', 'age', 'verdict', 'reason', 'users'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export const VERDICTS: readonly Verdict[] = ['remove', 'touch', 'keep'];
export const REASONS = Object.keys(VERDICT_REASONS) as readonly VerdictReason[];

/** Rows on a page, and the last page that can be asked for: what lies beyond is found by filtering. */
export const PAGE_ROWS = 100;
export const MAX_PAGE = 50;
const MAX_TEXT_CHARACTERS = 200;

/** What the status page's address asks for. */
export interface StatusQuery {
  readonly sort: SortKey;
  readonly descending: boolean;
  /** Matched against file names, image ids and workloads, whatever the case; an image id also finds the files that are named by it. */
  readonly text: string;
  readonly kind: BaseFileKind | undefined;
  readonly verdict: Verdict | undefined;
  readonly reason: VerdictReason | undefined;
  /** From 1. */
  readonly page: number;
}

const DEFAULTS: StatusQuery = {
  sort: 'size',
  descending: true,
  text: '',
  kind: undefined,
  verdict: undefined,
  reason: undefined,
  page: 1,
};

/** Sizes, ages and users are first wanted with the largest on top. */
const DESCENDING_FIRST: ReadonlySet<SortKey> = new Set(['size', 'age', 'users']);

/** Reads a query string; what it does not know it takes for not being there. */
export function parseStatusQuery(query: string): StatusQuery {
  const parameters = new URLSearchParams(query);
  const oneOf = <T extends string>(name: string, values: readonly T[]): T | undefined =>
    values.find((value) => value === parameters.get(name));
  const sort = oneOf('sort', SORT_KEYS) ?? DEFAULTS.sort;
  const order = oneOf('order', ['asc', 'desc']);
  const page = Number(parameters.get('page') ?? '1');
  return {
    sort,
    descending: order === undefined ? DESCENDING_FIRST.has(sort) : order === 'desc',
    text: (parameters.get('q') ?? '').slice(0, MAX_TEXT_CHARACTERS).trim(),
    kind: oneOf('kind', BASE_FILE_KINDS),
    verdict: oneOf('verdict', VERDICTS),
    reason: oneOf('reason', REASONS),
    page: Number.isInteger(page) ? Math.min(Math.max(page, 1), MAX_PAGE) : 1,
  };
}

/** The relative address that asks for this; it works below any path that a proxy puts before it. */
export function statusLink(query: StatusQuery): string {
  const { sort, descending, text, kind, verdict, reason, page } = query;
  const parameters = new URLSearchParams();
  if (text !== '') parameters.set('q', text);
  if (kind !== undefined) parameters.set('kind', kind);
  if (verdict !== undefined) parameters.set('verdict', verdict);
  if (reason !== undefined) parameters.set('reason', reason);
  parameters.set('sort', sort);
  parameters.set('order', descending ? 'desc' : 'asc');
  if (page !== 1) parameters.set('page', String(page));
  return `?${parameters.toString()}`;
}

/** The query behind a column's header: sorts by it, or turns the order round where it is sorted by already. */
export function sortedBy(query: StatusQuery, sort: SortKey): StatusQuery {
  const descending = query.sort === sort ? !query.descending : DESCENDING_FIRST.has(sort);
  return { ...query, sort, descending, page: 1 };
}

export function isFiltered({ text, kind, verdict, reason }: StatusQuery): boolean {
  return text !== '' || kind !== undefined || verdict !== undefined || reason !== undefined;
}
