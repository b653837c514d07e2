import { describe, expect, it } from 'vitest';
import type { Report } from '../../../../src/model/report.ts';
import type { AgentView } from '../../../../src/report/status-page/agent-view.ts';
import { digestOf } from '../../../../src/report/digest.ts';
import { statusPage } from '../../../../src/report/status-page/page.ts';
import { parseStatusQuery, sortedBy, statusLink } from '../../../../src/report/status-page/query.ts';
import { statusSelector } from '../../../../src/report/status-page/rows.ts';
import { FAVICON, STATUS_CSP, STATUS_STYLE } from '../../../../src/report/status-page/style.ts';
import { AGENT, fullReport, numberedFile, reportOfSize } from '../../../helpers/report-pages.ts';
import { missingBackingFile, plannedFile, removableFile, report } from '../../../helpers/reports.ts';

function pageOf(of: Report | undefined, query = '', about: Partial<AgentView> = {}): string {
  const agent = { ...AGENT, ...about };
  if (of === undefined) return statusPage({ agent, pass: undefined, hasReport: true });
  const parsed = parseStatusQuery(query);
  const selector = statusSelector(parsed);
  for (const file of of.files) selector.add(file);
  return statusPage({
    agent,
    pass: { report: of, digest: digestOf(of), query: parsed, selection: selector.finish() },
    hasReport: true,
  });
}

function rowsOf(of: Report, query: string): string[] {
  return [...pageOf(of, query).matchAll(/class="name">([^<]*)</g)].map(([, name]) => name ?? '');
}

const files = [
  plannedFile({ name: 'b', allocatedBytes: 2, ageSeconds: 30, usedBy: [{ by: 'tenant/vm-1', through: 'image', value: 'Ubuntu 24.04' }] }),
  removableFile({ name: 'a', allocatedBytes: 2, ageSeconds: 10, kind: 'resized' }),
  plannedFile({ name: 'c', allocatedBytes: 9, ageSeconds: 20, reason: 'PinnedByConfig' }),
];

describe('the status page', () => {
  it('should show the last pass that removed something beside one that did not', () => {
    expect(pageOf(report())).toMatch(/Last removal[\s\S]{1,80}12 min ago[\s\S]{1,40}3 base files removed, 12\.0 GiB/);
  });

  it.each([
    ['', ['c', 'a', 'b']],
    ['sort=name', ['a', 'b', 'c']],
    ['sort=name&order=desc', ['c', 'b', 'a']],
    ['sort=age', ['b', 'c', 'a']],
    ['sort=age&order=asc', ['a', 'c', 'b']],
    ['sort=users', ['b', 'a', 'c']],
    ['sort=verdict', ['b', 'c', 'a']],
    ['sort=kind', ['b', 'c', 'a']],
    ['sort=reason', ['c', 'b', 'a']],
    ['q=UBUNTU', ['b']],
    ['q=vm-1', ['b']],
    ['q=c', ['c']],
    ['kind=resized', ['a']],
    ['verdict=remove', ['a']],
    ['reason=PinnedByConfig', ['c']],
    ['kind=resized&verdict=keep', []],
    ['sort=__proto__&order=x&kind=constructor&page=-7', ['c', 'a', 'b']],
    ['page=99', ['c', 'a', 'b']],
  ])('should show for the query %j the files %j', (query, names) => {
    expect(rowsOf(report({ files }), query)).toEqual(names);
  });

  it('should show a hundred files a page, and every file on one page only', () => {
    const many = reportOfSize(250);
    const pages = [1, 2, 3].map((page) => rowsOf(many, `sort=kind&page=${page}`));
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(new Set(pages.flat()).size).toBe(250);
  });

  it('should find a page among many files with memory for those before it only', () => {
    const query = parseStatusQuery('sort=size&page=3');
    const selector = statusSelector(query);
    for (let index = 0; index < 30_000; index++) selector.add(numberedFile((index * 7919) % 30_000));
    const { rows, matches, pages } = selector.finish();
    expect([matches, pages]).toEqual([30_000, 50]);
    expect(rows.map(({ allocatedBytes }) => allocatedBytes / 2 ** 20)).toEqual(Array.from({ length: 100 }, (_, index) => 29_800 - index));
  });

  it('should find the files of an image by its id, even those that nothing uses', () => {
    const image = 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0';
    const digest = '0d5e6b61602d758984b3bf038267614d6016eb2a';
    const own = report({ files: [...files, removableFile({ name: digest }), removableFile({ name: `${digest}_20`, kind: 'resized' })] });
    expect(rowsOf(own, `q=${image}&sort=name`)).toEqual([digest, `${digest}_20`]);
  });

  it('should keep the filter in the links that sort and turn pages', () => {
    const page = pageOf(reportOfSize(600), 'q=image&verdict=touch&sort=age');
    expect(page).toContain('href="?q=image&amp;verdict=touch&amp;sort=size&amp;order=desc#files"');
    expect(page).toContain('href="?q=image&amp;verdict=touch&amp;sort=age&amp;order=asc#files"');
  });

  it('should read the links that it writes', () => {
    const query = parseStatusQuery('q=a%26b%3D%22c&kind=swap&verdict=keep&reason=Unused&sort=name&order=desc&page=4');
    expect(parseStatusQuery(statusLink(query).slice(1))).toEqual(query);
    expect(sortedBy(query, 'name')).toMatchObject({ sort: 'name', descending: false, page: 1 });
    expect(sortedBy(query, 'size')).toMatchObject({ sort: 'size', descending: true, page: 1 });
  });

  it('should say why the gate is closed, what was found, and how the sources are', () => {
    const page = pageOf(fullReport());
    expect(page).toContain('The gate is closed: nothing is removed');
    expect(page).toContain('<strong>SourceStale</strong>: source pods has been silent');
    expect(page).toContain('Findings (3)');
    expect(page).toContain('the API kubevirt.io/v1 does not exist');
    expect(page).toContain('in 28 min');
  });

  it('should link to documents and runbook where it knows them, and to the runbook where the gate is closed', () => {
    const documentsUrl = 'https://example.com/a?b="c&d';
    const page = pageOf(fullReport(), '', { documentsUrl });
    const at = 'https://example.com/a?b=&quot;c&amp;d';
    const links = [...page.matchAll(/<a href="(https:[^"]*)">([^<]*)</g)].map(([, href, text]) => `${text}: ${href}`);
    expect(links).toEqual([`What to do: ${at}/runbook.md#basekeeperheld`, `Documents: ${at}/README.md`, `Runbook: ${at}/runbook.md`]);
  });

  it('should say in one word that the gate is open, and where it decides nothing say nothing', () => {
    const open = pageOf(report({ gate: { open: true, reasons: [] } }));
    expect(open).toContain('<span class="badge good">open</span>');
    expect(open).not.toContain('class="card gate"');
    expect(pageOf(fullReport())).not.toContain('<span class="badge good">open</span>');
  });

  it('should say what pressure mode does about a full file system', () => {
    const pressure = {
      highThresholdPercent: 85,
      lowThresholdPercent: 80,
      usedPercent: 91.5,
      bytesToFree: 1,
      plannedBytes: 1,
      projectedUsedPercent: 79.9,
    };
    expect(pageOf(report({ pressure }))).toMatch(/Under pressure.*91\.5 % used.*removals bring it to 79\.9 %/);
    expect(pageOf(report())).not.toContain('Under pressure');
  });

  it('should say what the cache holds of its budget after the pass', () => {
    const budget = { maxBytes: 2 ** 31, lowBytes: 2 ** 30, heldBytes: 3 * 2 ** 30, bytesToFree: 0, plannedBytes: 0, projectedBytes: 0 };
    expect(pageOf(report({ budget }))).toMatch(/Budget of the cache.*2\.0 GiB.*it holds 3\.0 GiB, which is more/);
    expect(pageOf(report({ budget, files: [removableFile({ outcome: 'removed' })] }))).toMatch(/Budget of the cache.*it holds 2\.0 GiB</);
    expect(pageOf(report())).not.toContain('Budget of the cache');
  });

  it('should say that no pass has ended yet', () => {
    expect(pageOf(undefined)).toContain('No pass has ended yet');
  });

  it('should name so many findings and users only', () => {
    const findings = Array.from({ length: 500 }, (_, index) => missingBackingFile({ message: `disk ${index}.` }));
    const page = pageOf(report({ findings }));
    expect(page).toContain('Findings (500)');
    expect(page.match(/disk \d+\./g)).toHaveLength(200);
    expect(page).toContain('and 300 more');
    expect(pageOf(fullReport())).toContain('and 40 more; the report has them all');
  });

  it('should escape whatever names, messages and the query hold', () => {
    const evil = `<script>alert(1)</script>"'&\u202E\u0000`;
    const usedBy = [{ by: evil, through: 'image', value: evil } as const];
    const of = report({
      message: evil,
      files: [plannedFile({ name: evil, usedBy, outcome: 'TouchFailed', outcomeMessage: evil })],
      findings: [missingBackingFile({ message: evil, workload: evil })],
      gate: { open: false, reasons: [{ reason: 'ScanIncomplete', message: evil }] },
      sources: [{ name: evil, state: 'failed', workloads: 0, gaps: 0, message: evil }],
    });
    const page = pageOf(of, `q=${encodeURIComponent(evil)}`);
    expect(page.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;&amp;\\u\{202e\}\\u\{0\}/g)?.length).toBeGreaterThan(8);
    for (const forbidden of ['<script', '\u202E', '\u0000']) expect(page).not.toContain(forbidden);
  });

  it('should hold nothing that its policy forbids', () => {
    const page = pageOf(fullReport());
    expect(page).toContain(`<style>${STATUS_STYLE}</style>`);
    expect(page.match(/<link [^>]*>/g)).toEqual([`<link rel="icon" href="${FAVICON}" />`]);
    // The icon names its format by a URL, which nothing fetches.
    expect(page.replace(FAVICON, '')).not.toMatch(/ style=| on\w+=|<script|<img|src=|https?:/i);
    expect(STATUS_CSP).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
  });
});
