import type { Metrics } from '../report/metrics/metrics.ts';
import { text, type Answer, type Route, type Routes } from './answers.ts';
import type { Probes } from './probes.ts';

export interface OpenRoutes {
  readonly metrics: Pick<Metrics, 'scrape'>;
  readonly probes: Probes;
}

/** Metrics and probes: they name no image and no workload. */
export function openRoutes({ metrics, probes }: OpenRoutes, guard?: Route['guard']): Routes {
  return new Map<string, Route>([
    [
      '/metrics',
      {
        guard,
        answer: async ({ accept }) => {
          const { contentType, body } = await metrics.scrape(accept);
          return text(200, body, { 'content-type': contentType });
        },
      },
    ],
    ['/healthz', { answer: () => probe(probes.unhealthy()) }],
    ['/readyz', { answer: async () => probe(await probes.unready()) }],
  ]);
}

function probe(problem: string | undefined): Answer {
  return problem === undefined ? text(200, 'ok\n') : text(503, `${problem}\n`);
}
