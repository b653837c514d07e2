import { setImmediate } from 'node:timers/promises';
import type { Report } from '../model/plan.ts';
import type { Mode } from '../model/policy.ts';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface AgentView {
  readonly version: string;
  readonly mode: Mode;
  readonly passRunning: boolean;
  /** Wall clock, ms; undefined while none is planned. */
  readonly nextPassMs: number | undefined;
  readonly nowMs: number;
}

export interface HttpRoutes {
  readonly metrics: Pick<Metrics, 'scrape'>;
  readonly health: () => Health | Promise<Health>;
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

/** What the server says to a request. */
export async function answerRequest(routes: HttpRoutes, { method, url, accept }: Question): Promise<Answer> {
  const [path = '/', query = ''] = url.split('?', 2);
  const route = findRoute(routes, path);
  if (route === undefined) return text(404, 'not found\n');
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
  return await route({ accept, query });
}

type Route = (request: { readonly accept: string | undefined; readonly query: string }) => Answer | Promise<Answer>;

function findRoute(routes: HttpRoutes, path: string): Route | undefined {
  switch (path) {
    case '/metrics':
      return async ({ accept }) => {
        const { contentType, body } = await routes.metrics.scrape(accept);
        return text(200, body, { 'content-type': contentType });
      };
    case '/healthz':
      return async () => probe((await routes.health()).unhealthy);
    case '/readyz':
      return async () => probe((await routes.health()).unready);
    case '/report':
      return routes.switches.report ? () => reportAnswer(routes.report()) : undefined;
    case '/':
      return routes.switches.statusPage ? () => text(200, 'basekeeper\n') : undefined;
    default:
      return undefined;
  }
}

function probe(trouble: string | undefined): Answer {
  return trouble === undefined ? text(200, 'ok\n') : text(503, `${trouble}\n`);
}

function reportAnswer(report: Report | undefined): Answer {
  if (report === undefined) return text(503, 'no pass has ended yet\n', { 'retry-after': '10' });
  return { status: 200, headers: { ...SECURITY_HEADERS, 'content-type': 'application/json' }, body: inTurns(planJson(report)) };
}

/** A report of a million files must not hold up probes: one piece per turn of the event loop. */
async function* inTurns(pieces: Iterable<string>): AsyncIterable<string> {
  for (const piece of pieces) {
    yield piece;
    await setImmediate();
  }
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...SECURITY_HEADERS, 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}

/** Until the report's own writer is here. */
function* planJson(report: Report): Iterable<string> {
  yield JSON.stringify({ ...report, files: [] }).replace('"files":[]', '"files":[');
  yield ']}';
}
