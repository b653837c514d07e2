import { BASE_FILE_KINDS } from '../../model/scan.ts';
import type { PlannedFile } from '../../model/plan.ts';
import { OUTCOMES, VERDICT_REASONS } from '../../model/reasons.ts';
import type { Usage } from '../../model/references.ts';
import { type Html, html } from './html.ts';
import {
  isFiltered,
  MAX_PAGE,
  parseStatusQuery,
  REASONS,
  sortedBy,
  statusLink,
  VERDICTS,
  type SortKey,
  type StatusQuery,
} from './query.ts';
import type { StatusSelection } from './rows.ts';
import { countOf, humanBytes, humanSeconds, shorten } from '../../lib/text.ts';

/** Users that a row names: so many at once, so many when unfolded; the report has them all. */
const USERS_SHOWN = 2;
const USERS_UNFOLDED = 20;

/** The base files: filter, table and pages, all by plain links and one form. */
export function filesSection(query: StatusQuery, selection: StatusSelection): Html {
  return html`<section class="card" id="files" aria-labelledby="files-title">
    <h2 id="files-title">Base files</h2>
    ${filterForm(query)}
    <p class="muted">${countOf(selection.matches, 'file')}${isFiltered(query) && ' match the filter'}.</p>
    ${selection.rows.length > 0 && filesTable(query, selection)}${pageLinks(query, selection)}
  </section>`;
}

function filterForm(query: StatusQuery): Html {
  const select = (name: 'kind' | 'verdict' | 'reason', values: readonly string[]): Html =>
    html`<label
      >${name}<select name="${name}">
        <option value="">all</option>
        ${values.map((value) => html`<option${query[name] === value && html` selected`}>${value}</option>`)}
      </select></label
    >`;
  return html`<form method="get" action="#files">
    <label class="wide">name, image or workload<input type="search" name="q" maxlength="200" value="${query.text}" /></label>
    ${select('kind', BASE_FILE_KINDS)}${select('verdict', VERDICTS)}${select('reason', REASONS)}
    <input type="hidden" name="sort" value="${query.sort}" /><input
      type="hidden"
      name="order"
      value="${query.descending ? 'desc' : 'asc'}"
    />
    <button type="submit">Filter</button
    >${isFiltered(query) && html`<a href="${statusLink({ ...parseStatusQuery(''), sort: query.sort, descending: query.descending })}#files">Show all</a>`}
  </form>`;
}

const COLUMNS: readonly (readonly [key: SortKey, title: string, style: string])[] = [
  ['name', 'Name', ''],
  ['kind', 'Kind', ''],
  ['size', 'Size', 'num'],
  ['age', 'Age', 'num'],
  ['verdict', 'Verdict', ''],
  ['reason', 'Reason', ''],
  ['users', 'Used by', ''],
];

function filesTable(query: StatusQuery, { rows }: StatusSelection): Html {
  return html`<table role="table">
    <thead role="rowgroup">
      <tr role="row">
        ${COLUMNS.map((column) => columnHeader(query, column))}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(fileRow)}
    </tbody>
  </table>`;
}

function columnHeader(query: StatusQuery, [key, title, style]: (typeof COLUMNS)[number]): Html {
  const isSorted = query.sort === key;
  const order = query.descending ? 'descending' : 'ascending';
  return html`<th role="columnheader" scope="col" class="${style}" ${isSorted && html` aria-sort="${order}"`}>
    <a href="${statusLink(sortedBy(query, key))}#files"
      >${title}${isSorted && html`<span aria-hidden="true"> ${query.descending ? '▼' : '▲'}</span>`}</a
    >
  </th>`;
}

function fileRow(file: PlannedFile): Html {
  const { name, kind, sizeBytes, allocatedBytes, ageSeconds, modifiedAt, reason, outcome, usedBy } = file;
  return html`<tr role="row" ${(outcome === 'removed' || outcome === 'trashed') && html` class="gone"`}>
    <th role="rowheader" scope="row" class="name">${name}</th>
    <td role="cell" class="word" data-label="Kind">${kind}</td>
    <td role="cell" class="num" data-label="Size" title="${humanBytes(sizeBytes)} apparent size">${humanBytes(allocatedBytes)}</td>
    <td role="cell" class="num" data-label="Age" title="modified ${modifiedAt}">${humanSeconds(ageSeconds)}</td>
    <td role="cell" data-label="Verdict">${verdict(file)}</td>
    <td role="cell" class="word full" data-label="Reason" title="${VERDICT_REASONS[reason]}">${reason}</td>
    <td role="cell" class="full" data-label="Used by">${users(usedBy)}</td>
  </tr> `;
}

const VERDICT_BADGES = { keep: '', touch: 'good', remove: 'warn' } as const;

/** What was decided, and what became of it where that is another matter. */
function verdict({ verdict: decided, outcome, outcomeMessage }: PlannedFile): Html {
  const isPlain = outcome === undefined || outcome === 'kept' || outcome === 'touched';
  const failed = outcome === 'RemovalFailed' || outcome === 'TouchFailed';
  return html`<span class="badge ${VERDICT_BADGES[decided]}">${decided}</span>${
      !isPlain && html` <span class="badge ${failed ? 'bad' : ''}" title="${OUTCOMES[outcome]}">${outcome}</span> ${outcomeMessage ?? ''}`
    }`;
}

function users(usedBy: readonly Usage[]): Html {
  if (usedBy.length === 0) return html`<span class="muted">nobody</span>`;
  if (usedBy.length <= USERS_SHOWN) return html`${usedBy.map((usage) => html`<div>${user(usage)}</div>`)}`;
  const more = usedBy.length - USERS_UNFOLDED;
  return html`<details>
    <summary>${usedBy.length} users</summary>
    <ul>
      ${usedBy.slice(0, USERS_UNFOLDED).map((usage) => html`<li>${user(usage)}</li>`)}
      ${more > 0 && html`<li>and ${more} more; the report has them all</li>`}
    </ul>
  </details>`;
}

function user({ by, through, value }: Usage): Html {
  return html`${by} <span class="muted">(${through} ${shorten(value, 120)})</span>`;
}

function pageLinks(query: StatusQuery, { page, pages, matches }: StatusSelection): Html | undefined {
  if (pages === 1) return undefined;
  const link = (to: number, title: string): Html | false =>
    to >= 1 && to <= pages && to !== page && html`<a href="${statusLink({ ...query, page: to })}#files">${title}</a>`;
  return html`<nav aria-label="Pages">
    ${link(1, 'First')}${link(page - 1, 'Previous')}<span>Page ${page} of ${pages}</span>${link(page + 1, 'Next')}${link(pages, 'Last')}
    ${pages === MAX_PAGE && html`<span class="muted">${matches} files match; filter to see those beyond page ${MAX_PAGE}.</span>`}
  </nav>`;
}
