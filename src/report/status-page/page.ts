import { FILE_STATES, type FileState, FINDINGS, GATE_REASONS, type FindingType, type PassResult } from '../../model/reasons.ts';
import type { Report } from '../../model/report.ts';
import type { SourceState } from '../../model/workload.ts';
import type { ReportDigest } from '../digest.ts';
import { Html, html, type HtmlPart } from './html.ts';
import { filesSection } from './files.ts';
import type { StatusQuery } from './query.ts';
import type { StatusSelection } from './rows.ts';
import { FAVICON, STATUS_STYLE } from './style.ts';
import { countOf, humanBytes, humanSeconds } from '../../lib/text.ts';
import { budgetAfter } from '../budget.ts';
import type { AgentView } from './agent-view.ts';

/** Byte for byte what the Content-Security-Policy has the hash of. */
const STYLE_ELEMENT = new Html(`<style>${STATUS_STYLE}</style>`);

/** Findings that the page names; the report has them all. */
const MAX_FINDINGS = 200;

/** What the page shows of the last pass. */
export interface StatusPass {
  readonly report: Report;
  readonly digest: ReportDigest;
  readonly query: StatusQuery;
  readonly selection: StatusSelection;
}

export interface StatusView {
  readonly agent: AgentView;
  /** Undefined before the first pass has ended. */
  readonly pass: StatusPass | undefined;
  /** Whether `/report` is served as well. */
  readonly hasReport: boolean;
}

/** The whole page: one document that needs nothing else, no script either. */
export function statusPage({ agent, pass, hasReport }: StatusView): string {
  const title = `Basekeeper on ${agent.node}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="robots" content="noindex" />
        <link rel="icon" href="${FAVICON}" />
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <span class="badge ${agent.mode === 'enforce' ? 'good' : ''}">mode: ${agent.mode}</span> <span class="spacer"></span
          ><span class="muted">version ${agent.version}</span>
        </header>
        <main>${pass === undefined ? noPass(agent) : passSections(agent, pass)}</main>
        <footer class="muted">
          <a href="metrics">Metrics</a>${hasReport && html` · <a href="report">This report as JSON</a>`}${documentLinks(agent)} · Shown as
          of ${time(agent.nowMs)}
        </footer>
      </body>
    </html> `.text;
}

function documentLinks({ documentsUrl }: AgentView): Html | undefined {
  if (documentsUrl === undefined) return undefined;
  return html` · <a href="${documentsUrl}/README.md">Documents</a> · <a href="${documentsUrl}/runbook.md">Runbook</a>`;
}

function noPass(agent: AgentView): Html {
  return html`<section class="card">
    <h2>No pass has ended yet</h2>
    <p>${nextPass(agent)}</p>
  </section>`;
}

function passSections(agent: AgentView, pass: StatusPass): Html {
  const { report, digest } = pass;
  return html`${overview(agent, pass)}${digest.decided && !report.gate.open && closedGate(report, agent)}${findingsSection(report)}${digest.decided && cacheSection(digest)}
  ${filesSection(pass.query, pass.selection)}${sourcesSection(report, agent.nowMs)}`;
}

const RESULT_BADGES: Readonly<Record<PassResult, string>> = { Succeeded: 'good', DryRun: '', Held: 'warn', Failed: 'bad', Skipped: '' };

function overview(agent: AgentView, { report, digest }: StatusPass): Html {
  const { remaining } = digest;
  const takenMs = Date.parse(report.takenAt);
  const space = budgetAfter(report);
  return html`<section class="card" aria-label="Overview">
    <dl class="facts">
      ${fact(
        'Last pass',
        html`<span class="badge ${RESULT_BADGES[report.result]}">${report.result}</span>`,
        html`${humanSeconds((agent.nowMs - takenMs) / 1000)} ago, took ${duration(report.durationSeconds)}<br />${time(takenMs)}`,
      )}
      ${digest.decided && report.gate.open && fact('Gate', html`<span class="badge good">open</span>`, 'the evidence is complete')}
      ${fact('Next pass', nextPass(agent), agent.nextPassMs === undefined ? '' : time(agent.nextPassMs))}
      ${fact('In the cache', humanBytes(remaining.allocatedBytes), countOf(remaining.files, 'file'))}
      ${fact('Reclaimable', humanBytes(remaining.reclaimableBytes), countOf(remaining.reclaimableFiles, 'file'))}
      ${fact('Removed by this pass', humanBytes(report.totals.removedBytes), countOf(report.totals.removedFiles, 'file'))}
      ${agent.lastRemoval !== undefined && fact('Last removal', `${humanSeconds((agent.nowMs - Date.parse(agent.lastRemoval.at)) / 1000)} ago`, agent.lastRemoval.what)}
      ${digest.trash !== undefined && fact('In the trash', humanBytes(digest.trash.remaining.bytes), countOf(digest.trash.remaining.files, 'file'))}
      ${report.filesystem !== undefined && fact('Free on the file system', humanBytes(report.filesystem.availableBytes), `of ${humanBytes(report.filesystem.sizeBytes)}`)}
      ${report.pressure !== undefined && fact('Under pressure', `${report.pressure.usedPercent} % used`, `removals bring it to ${report.pressure.projectedUsedPercent} %`)}
      ${space !== undefined && fact('Budget of the cache', humanBytes(space.maxBytes), `it holds ${humanBytes(space.heldBytes)}${space.isOver ? ', which is more' : ''}`)}
    </dl>
    ${report.message !== undefined && html`<p><strong>${report.message}</strong></p>`}
  </section>`;
}

function fact(name: string, value: HtmlPart, detail: HtmlPart): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}<small>${detail}</small></dd>
  </div>`;
}

function nextPass({ passRunning, nextPassMs, nowMs }: AgentView): string {
  if (passRunning) return 'running now';
  if (nextPassMs === undefined) return 'not planned';
  return nextPassMs <= nowMs ? 'due now' : `in ${humanSeconds((nextPassMs - nowMs) / 1000)}`;
}

/** An open one is a word of the overview: only what keeps files needs room. */
function closedGate({ gate }: Report, { documentsUrl }: AgentView): Html {
  return html`<section class="card gate">
    <h2>The gate is closed: nothing is removed</h2>
    <ul>
      ${gate.reasons.map(({ reason, message }) => html`<li><strong>${reason}</strong>: ${message}<br /><span class="muted">${GATE_REASONS[reason]}</span></li>`)}
    </ul>
    ${documentsUrl !== undefined && html`<p><a href="${documentsUrl}/runbook.md#basekeeperheld">What to do</a></p>`}
  </section>`;
}

function findingsSection({ findings }: Report): Html | undefined {
  if (findings.length === 0) return undefined;
  const groups = [...Map.groupBy(findings.slice(0, MAX_FINDINGS), ({ type }) => type)];
  const more = findings.length - MAX_FINDINGS;
  return html`<section class="card findings">
    <h2>Findings (${findings.length})</h2>
    ${groups.map(findingGroup)} ${more > 0 && html`<p>and ${more} more; the report has them all.</p>`}
  </section>`;
}

function findingGroup([type, own]: [FindingType, Report['findings']]): Html {
  return html`<p><span class="badge warn">${type}</span> ${FINDINGS[type]}</p>
    <ul>
      ${own.map(({ workload, message }) => html`<li>${workload !== undefined && html`<strong>${workload}</strong>: `}${message}</li>`)}
    </ul>`;
}

const STATE_NAMES: Readonly<Record<FileState, string>> = {
  used: 'used by workloads',
  backing: 'under overlays',
  pinned: 'pinned',
  young: 'unused, too young',
  held: 'unused, held',
  unused: 'unused',
  foreign: 'foreign',
};

/** A bar of bytes by state; drawn with SVG attributes, because the page allows no inline styles. */
function cacheSection({ remainingStates, remaining }: ReportDigest): Html | undefined {
  const amounts = FILE_STATES.map((state) => {
    const rows = remainingStates.filter((row) => row.state === state);
    const sum = (of: (row: (typeof rows)[number]) => number): number => rows.reduce((total, row) => total + of(row), 0);
    return { state, files: sum(({ files }) => files), bytes: sum(({ allocatedBytes }) => allocatedBytes) };
  }).filter(({ files }) => files > 0);
  if (amounts.length === 0) return undefined;
  let left = 0;
  const pieces = amounts.map(({ state, bytes }) => {
    const width = remaining.allocatedBytes > 0 ? (bytes / remaining.allocatedBytes) * 100 : 0;
    left += width;
    return html`<rect class="${state}" x="${(left - width).toFixed(3)}%" width="${width.toFixed(3)}%" height="100%" />`;
  });
  return html`<section class="card">
    <h2>What the cache holds</h2>
    <svg class="bar" aria-hidden="true" focusable="false">${pieces}</svg>
    <ul class="legend">
      ${amounts.map(({ state, files, bytes }) => html`<li><span class="dot ${state}"></span>${STATE_NAMES[state]}: ${humanBytes(bytes)} <span class="muted">(${countOf(files, 'file')})</span></li>`)}
    </ul>
  </section>`;
}

const SOURCE_BADGES: Readonly<Record<SourceState, string>> = { synced: 'good', syncing: 'warn', failed: 'bad', absent: '' };

function sourcesSection({ sources }: Report, nowMs: number): Html | undefined {
  if (sources.length === 0) return undefined;
  return html`<section class="card">
    <h2>Sources of workloads</h2>
    <table role="table" class="plain">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">Source</th>
          <th role="columnheader" scope="col">State</th>
          <th role="columnheader" scope="col" class="num">Workloads</th>
          <th role="columnheader" scope="col" class="num">Gaps</th>
          <th role="columnheader" scope="col">Last contact</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${sources.map(
          ({ name, state, workloads, gaps, lastContact, message }) =>
            html`<tr role="row">
              <th role="rowheader" scope="row">${name}</th>
              <td role="cell" class="full"><span class="badge ${SOURCE_BADGES[state]}">${state}</span> ${message ?? ''}</td>
              <td role="cell" class="num" data-label="Workloads">${workloads}</td>
              <td role="cell" class="num" data-label="Gaps">${gaps}</td>
              <td role="cell" class="full" data-label="Last contact">
                ${lastContact === undefined ? 'never' : `${humanSeconds((nowMs - Date.parse(lastContact)) / 1000)} ago`}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

function time(ms: number): Html {
  const text = new Date(ms).toISOString();
  return html`<time datetime="${text}">${text.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

function duration(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(2)} s` : humanSeconds(seconds);
}
