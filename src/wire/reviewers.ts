import type { Config, HttpConfig } from '../config/types.ts';
import type { DoorOptions } from '../http/door.ts';
import { createAccessReview } from '../kube/access-review.ts';
import type { KubeClient } from '../kube/types.ts';
import { ownNamespace } from './own-namespace.ts';

/** Whether the API server is asked about those who knock. */
export function reviewsTokens({ pages, metrics }: HttpConfig): boolean {
  return pages === 'network' || metrics === 'reviewed';
}

/** Who may scrape and who may have the pages over the network, as the configuration says it. */
export function reviewersOf(
  { http, nodeName }: Config,
  client: KubeClient | undefined,
): Pick<DoorOptions, 'metricsReviewer' | 'pagesReviewer'> {
  if (!reviewsTokens(http)) return {};
  if (client === undefined) throw new Error('http.pages and http.metrics cannot ask for rights without a cluster');
  const report = { group: 'basekeeper.io', resource: 'reports', name: nodeName, namespace: ownNamespace(), verb: 'get' } as const;
  const metrics = { path: '/metrics', verb: 'get' } as const;
  return {
    metricsReviewer: http.metrics === 'reviewed' ? createAccessReview({ client, wanted: { nonResourceAttributes: metrics } }) : undefined,
    pagesReviewer: http.pages === 'network' ? createAccessReview({ client, wanted: { resourceAttributes: report } }) : undefined,
  };
}
