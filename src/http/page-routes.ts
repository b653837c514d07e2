import type { Report } from '../model/report.ts';
import type { AgentView } from '../report/status-page/agent-view.ts';
import { createStatusRenderer } from '../report/status-page/renderer.ts';
import { STATUS_CSP } from '../report/status-page/style.ts';
import { planJson } from '../report/terminal/plan/json.ts';
import { SECURITY_HEADERS, text, type Answer, type Route, type Routes } from './answers.ts';
import { historyRoute, type HistoryOpener } from './history-route.ts';
import { createStreams, type StreamLimits, type Streams } from './streams.ts';

export interface PageRoutes {
  /** The last report; undefined before the first pass has ended. */
  readonly report: () => Report | undefined;
  readonly agent: () => AgentView;
  /** Absent where removals are not recorded. */
  readonly history?: HistoryOpener | undefined;
  /** What shows names of images and workloads can be switched off. */
  readonly switches: { readonly report: boolean; readonly statusPage: boolean };
  readonly streams?: Partial<StreamLimits> | undefined;
}

/** Status page, report and history: they name images and workloads. */
export function pageRoutes(pages: PageRoutes, guard?: Route['guard']): Routes {
  const { report, statusPage } = pages.switches;
  const streams = createStreams(pages.streams);
  const render = createStatusRenderer();
  const routes = new Map<string, Route>();
  if (report) routes.set('/report', { guard, answer: () => reportAnswer(pages, streams) });
  if (report && pages.history !== undefined) routes.set('/history', historyRoute(pages.history, guard, pages.streams));
  if (statusPage) routes.set('/', { guard, answer: ({ query }) => statusAnswer(pages, render, query) });
  return routes;
}

function reportAnswer(pages: PageRoutes, streams: Streams): Answer {
  const report = pages.report();
  if (report === undefined) return text(503, 'no pass has ended yet\n', { 'retry-after': '10' });
  const body = streams.open(() => planJson(report));
  if (body === undefined) return text(503, 'too many readers of the report\n', { 'retry-after': '5' });
  return { status: 200, headers: { ...SECURITY_HEADERS, 'content-type': 'application/json' }, body };
}

async function statusAnswer(pages: PageRoutes, render: ReturnType<typeof createStatusRenderer>, query: string): Promise<Answer> {
  const page = render({ query, agent: pages.agent(), report: pages.report(), hasReport: pages.switches.report });
  if (page === undefined) return text(503, 'too many requests for this page wait already\n', { 'retry-after': '5' });
  const headers = { ...SECURITY_HEADERS, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': STATUS_CSP };
  return { status: 200, headers, body: await page };
}
