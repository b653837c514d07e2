import { setImmediate } from 'node:timers/promises';
import type { Report } from '../model/report.ts';
import type { AgentView } from '../report/status-page/agent-view.ts';
import type { Probes } from './probes.ts';
import type { Metrics } from '../report/metrics/metrics.ts';
import { planJson } from '../report/terminal/plan-json.ts';
import { createStatusRenderer, type StatusRenderer } from '../report/status-page/renderer.ts';
import { STATUS_CSP } from '../report/status-page/style.ts';

export interface HttpRoutes {
  readonly metrics: Pick<Metrics, 'scrape'>;
  readonly probes: Probes;
  /** The last report; undefined before the first pass has ended. */
  readonly report: () => Report | undefined;
  readonly agent: () => AgentView;
  /** What shows names of images and workloads can be switched off. */
  readonly switches: { readonly report: boolean; readonly statusPage: boolean };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<string>;
}

export interface Question {
  readonly method: string;
  readonly url: string;
  readonly accept: string | undefined;
}

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Reports that are streamed at once: each walks all files. */
const MAX_STREAMS = 4;

export type Answerer = (question: Question) => Promise<Answer>;

/** What the server says to requests. */
export function createAnswerer(routes: HttpRoutes): Answerer {
  const context: Context = { routes, render: createStatusRenderer(), streams: { open: 0 } };
  return async ({ method, url, accept }) => {
    const [path = '/', query = ''] = url.split('?', 2);
    const route = findRoute(context, path);
    if (route === undefined) return text(404, 'not found\n');
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
    return await route({ accept, query });
  };
}

type Route = (request: { readonly accept: string | undefined; readonly query: string }) => Answer | Promise<Answer>;

interface Context {
  readonly routes: HttpRoutes;
  readonly render: StatusRenderer;
  readonly streams: { open: number };
}

function findRoute(context: Context, path: string): Route | undefined {
  const { routes } = context;
  switch (path) {
    case '/metrics':
      return async ({ accept }) => {
        const { contentType, body } = await routes.metrics.scrape(accept);
        return text(200, body, { 'content-type': contentType });
      };
    case '/healthz':
      return () => probe(routes.probes.unhealthy());
    case '/readyz':
      return async () => probe(await routes.probes.unready());
    case '/report':
      return routes.switches.report ? () => reportAnswer(context) : undefined;
    case '/':
      return routes.switches.statusPage ? ({ query }) => statusAnswer(context, query) : undefined;
    default:
      return undefined;
  }
}

function probe(problem: string | undefined): Answer {
  return problem === undefined ? text(200, 'ok\n') : text(503, `${problem}\n`);
}

function reportAnswer({ routes, streams }: Context): Answer {
  const report = routes.report();
  if (report === undefined) return text(503, 'no pass has ended yet\n', { 'retry-after': '10' });
  if (streams.open >= MAX_STREAMS) return text(503, 'too many readers of the report\n', { 'retry-after': '5' });
  return { status: 200, headers: { ...SECURITY_HEADERS, 'content-type': 'application/json' }, body: inTurns(planJson(report), streams) };
}

async function statusAnswer({ routes, render }: Context, query: string): Promise<Answer> {
  const page = render({ query, agent: routes.agent(), report: routes.report(), hasReport: routes.switches.report });
  if (page === undefined) return text(503, 'too many requests for this page wait already\n', { 'retry-after': '5' });
  const headers = { ...SECURITY_HEADERS, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': STATUS_CSP };
  return { status: 200, headers, body: await page };
}

/** A report of a million files must not hold up probes: one piece per turn of the event loop. */
async function* inTurns(pieces: Iterable<string>, streams: { open: number }): AsyncIterable<string> {
  streams.open++;
  try {
    for (const piece of pieces) {
      yield piece;
      await setImmediate();
    }
  } finally {
    streams.open--;
  }
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...SECURITY_HEADERS, 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}
