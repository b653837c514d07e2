import axe from 'axe-core';
import { readFileSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { which } from '../../../scripts/lib/run.ts';
import { AGENT, fullReport, reportOfSize } from '../../helpers/report-pages.ts';
import { startReportServer, type ReportServer } from '../../helpers/report-server.ts';
import { missingBackingFile, plannedFile, removableFile, report } from '../../helpers/reports.ts';

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 360, height: 780 } };

let server: ReportServer;
let browser: Browser;
let complaints: string[] = [];
let longNode: string | undefined;

beforeAll(async () => {
  server = await startReportServer({ agent: () => ({ ...AGENT, node: longNode ?? AGENT.node }) });
  const executablePath = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => which(name)).find((path) => path !== undefined);
  if (executablePath === undefined) throw new Error('no Chromium is here: run "node scripts/test-setup.ts"');
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
afterEach(() => {
  complaints = [];
});

/** Opens the page with scripts off, as a browser that has none. What the browser complains of is kept. */
async function open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ javaScriptEnabled: false, ...DESKTOP, ...options });
  const page = await context.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url)) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(server.url + path);
  return page;
}

const namesOn = (page: Page): Promise<string[]> => page.locator('#files tbody th').allTextContents();

const files = [
  plannedFile({ name: 'b', allocatedBytes: 2, ageSeconds: 30, usedBy: [{ by: 'tenant/vm-1', through: 'image', value: 'Ubuntu 24.04' }] }),
  removableFile({ name: 'a', allocatedBytes: 3, ageSeconds: 10, kind: 'resized' }),
  plannedFile({ name: 'c', allocatedBytes: 9, ageSeconds: 20, reason: 'PinnedByConfig' }),
];

describe('the status page in a browser without scripts', () => {
  it('should be sorted by the headers of its columns, and the other way round by a second click', async () => {
    server.show(report({ files }));
    const page = await open();
    expect(await namesOn(page)).toEqual(['c', 'a', 'b']);
    await page.getByRole('columnheader', { name: 'Age' }).getByRole('link').click();
    expect(await namesOn(page)).toEqual(['b', 'c', 'a']);
    expect(await page.getByRole('columnheader', { name: 'Age' }).getAttribute('aria-sort')).toBe('descending');
    await page.getByRole('columnheader', { name: 'Age' }).getByRole('link').click();
    expect(await namesOn(page)).toEqual(['a', 'c', 'b']);
    await page.context().close();
  });

  it('should be filtered by its form, keep the order, and show all again', async () => {
    server.show(report({ files }));
    const page = await open('/?sort=name&order=desc');
    await page.getByRole('searchbox').fill('ubuntu');
    await page.getByRole('button', { name: 'Filter' }).click();
    expect(await namesOn(page)).toEqual(['b']);
    await page.getByRole('link', { name: 'Show all' }).click();
    expect(await namesOn(page)).toEqual(['c', 'b', 'a']);
    await page.getByLabel('verdict').selectOption('remove');
    await page.getByRole('button', { name: 'Filter' }).click();
    expect(await namesOn(page)).toEqual(['a']);
    expect(await page.getByLabel('verdict').inputValue()).toBe('remove');
    await page.context().close();
  });

  it('should show thousands of files page by page', async () => {
    server.show(reportOfSize(5000));
    const page = await open();
    expect(await namesOn(page)).toHaveLength(100);
    const first = await namesOn(page);
    await page.getByRole('link', { name: 'Next' }).click();
    expect(await page.getByRole('navigation').textContent()).toContain('Page 2 of 50');
    expect((await namesOn(page)).some((name) => first.includes(name))).toBe(false);
    await page.context().close();
  });

  it('should unfold the users of a file', async () => {
    server.show(fullReport());
    const page = await open();
    const first = page.getByText('tenant/vm-0 ');
    expect(await first.isVisible()).toBe(false);
    await page.getByText('60 users').click();
    expect(await first.isVisible()).toBe(true);
    await page.context().close();
  });

  it('should keep its style under its own policy, and ask nobody for anything', async () => {
    server.show(fullReport());
    const page = await open();
    expect(complaints).toEqual([]);
    const border = await page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius");
    expect(border).toBe('10px');
    await page.context().close();
  });

  it('should have an icon of its own, which its policy allows', async () => {
    server.show(fullReport());
    // A page without scripts is given no event of an image that has loaded.
    const page = await open('/', { javaScriptEnabled: true });
    const href = (await page.locator('link[rel="icon"]').getAttribute('href')) ?? '';
    // An image with this address loads under the page's policy as its icon does.
    await page.evaluate(`new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = resolve;
      image.onerror = () => reject(new Error('the icon does not load'));
      image.src = ${JSON.stringify(href)};
    })`);
    expect(complaints.filter((complaint) => !complaint.startsWith('request to data:'))).toEqual([]);
    await page.context().close();
  });

  it('should link to documents that exist', () => {
    expect(readFileSync('docs/runbook.md', 'utf8')).toContain('\n## BasekeeperHeld\n');
    expect(readFileSync('docs/README.md', 'utf8')).toMatch(/^# /);
  });

  it('should show whole names of resized files in one line on a wide screen', async () => {
    const name = `${'a'.repeat(40)}_${2 ** 40}`;
    server.show(report({ files: [plannedFile({ name })] }));
    const page = await open('/', { viewport: { width: 1600, height: 900 } });
    const heights = await page.evaluate(`(() => {
      const cell = document.querySelector('#files tbody th');
      const lines = document.createRange();
      lines.selectNodeContents(cell);
      return [lines.getClientRects().length, document.documentElement.scrollWidth - innerWidth];
    })()`);
    expect(heights).toEqual([1, 0]);
    await page.context().close();
  });

  it.each([
    ['a phone', PHONE],
    ['a small tablet', { viewport: { width: 700, height: 900 } }],
    ['a narrow window', { viewport: { width: 900, height: 700 } }],
    ['a desktop', DESKTOP],
  ])('should fit the width of %s, whatever names it shows', async (_what, options) => {
    const longName = 'x'.repeat(255);
    const usedBy = [{ by: longName, through: 'image', value: longName } as const];
    server.show({
      ...fullReport(),
      files: [plannedFile({ name: longName, usedBy })],
      findings: [missingBackingFile({ message: longName })],
    });
    longNode = longName.slice(0, 253);
    const page = await open('/', options);
    longNode = undefined;
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    await page.context().close();
  });

  it('should be dark where people want it dark', async () => {
    server.show(fullReport());
    const background = async (colorScheme: 'light' | 'dark') => {
      const page = await open('/', { colorScheme });
      const color = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      await page.context().close();
      return color;
    };
    expect([await background('light'), await background('dark')]).toEqual(['rgb(245, 246, 248)', 'rgb(15, 19, 24)']);
  });

  it('should work behind a proxy that puts a path before it', async () => {
    server.show(report({ files }));
    const page = await open();
    const targets = await page.getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
    expect(targets.length).toBeGreaterThan(7);
    expect(targets.filter((target) => target.startsWith('/') || target.includes(':'))).toEqual([]);
    await page.context().close();
  });
});

describe('hostile names', () => {
  it('should be shown as they are, and never run', async () => {
    const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script></style></td>"'&`;
    const usedBy = [{ by: evil, through: 'image', value: evil } as const];
    server.show({
      ...report({ files: [plannedFile({ name: evil, usedBy })], findings: [missingBackingFile({ message: evil })] }),
      message: evil,
    });
    const page = await open(`/?q=${encodeURIComponent('<img')}`, { javaScriptEnabled: true });
    expect(await namesOn(page)).toEqual([evil]);
    expect(await page.title()).toBe('Basekeeper on node-1');
    expect(await page.locator('img, script').count()).toBe(0);
    expect(await page.getByRole('searchbox').inputValue()).toBe('<img');
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('people who cannot see or point', () => {
  it.each([
    ['light', 'a desktop', DESKTOP],
    ['dark', 'a desktop', DESKTOP],
    ['light', 'a phone', PHONE],
    ['dark', 'a phone', PHONE],
  ] as const)('should find no barrier that axe knows: %s, on %s', async (colorScheme, _device, options) => {
    server.show({ ...fullReport(), files: [...fullReport().files, ...reportOfSize(101).files] });
    const page = await open('/?order=asc&page=2', { ...options, colorScheme, javaScriptEnabled: true });
    await page.evaluate(axe.source);
    const { violations, passes } = await page.evaluate<{ violations: object[]; passes: object[] }>('axe.run()');
    expect(violations).toEqual([]);
    expect(passes.length).toBeGreaterThan(20);
    await page.context().close();
  });

  it('should reach every control by the keyboard', async () => {
    server.show(report({ files }));
    const page = await open('/', { javaScriptEnabled: true });
    const reached = new Set<string>();
    for (let times = 0; times < 20; times++) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate<string>('document.activeElement.textContent.trim()'));
    }
    expect([...reached]).toEqual(expect.arrayContaining(['Filter', 'Name', 'Used by', 'Metrics', 'This report as JSON']));
    await page.context().close();
  });
});
