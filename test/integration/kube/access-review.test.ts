import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccessReview, type Wanted } from '../../../src/kube/access-review.ts';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import type { KubeClient } from '../../../src/kube/types.ts';
import { adminKubeConfig, asAdmin, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';
import { someoneWith, tokenOf } from '../../helpers/service-account.ts';

const REPORT: Wanted = {
  resourceAttributes: { group: 'basekeeper.io', resource: 'reports', name: 'node-1', namespace: 'basekeeper', verb: 'get' },
};
const METRICS: Wanted = { nonResourceAttributes: { path: '/metrics', verb: 'get' } };

let server: KubeServer;
let client: KubeClient;
beforeAll(async () => {
  server = await startKubeServer();
  client = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'test' });
  await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name: 'basekeeper' } });
  await someoneWith(server, 'reader', [{ apiGroups: ['basekeeper.io'], resources: ['reports'], verbs: ['get'] }]);
  const onlyNode2 = { apiGroups: ['basekeeper.io'], resources: ['reports'], resourceNames: ['node-2'], verbs: ['get'] };
  await someoneWith(server, 'reader-of-node-2', [onlyNode2]);
  await someoneWith(server, 'scraper', [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }]);
});
afterAll(async () => {
  client?.close();
  await server?.stop();
});

describe('a review of a token by the API server', () => {
  it.each([
    ['reader', 'allowed', 'forbidden'],
    ['reader-of-node-2', 'forbidden', 'forbidden'],
    ['scraper', 'forbidden', 'allowed'],
  ])('should know what %s may have', async (name, report, metrics) => {
    const token = await tokenOf(server, name);
    expect(await createAccessReview({ client, wanted: REPORT }).review(token)).toBe(report);
    expect(await createAccessReview({ client, wanted: METRICS }).review(token)).toBe(metrics);
  });

  it('should not know a forged token', async () => {
    const token = await tokenOf(server, 'reader');
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    for (const wrong of [forged, 'x', 'system:admin']) {
      expect(await createAccessReview({ client, wanted: REPORT }).review(wrong)).toBe('unauthenticated');
    }
  });

  it('should ask once about many requests with one token, and again after a minute', async () => {
    let asked = 0;
    let monotonicMs = 0;
    const counting: Pick<KubeClient, 'request'> = { request: (request) => ((asked += 1), client.request(request)) };
    const clock = { now: () => ({ wallMs: 0, monotonicMs }) };
    const { review } = createAccessReview({ client: counting, wanted: REPORT, clock });
    const token = await tokenOf(server, 'reader');
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => review(token))))).toEqual(new Set(['allowed']));
    expect(asked).toBe(2);
    monotonicMs = 59_000;
    await review(token);
    expect(asked).toBe(2);
    monotonicMs = 61_000;
    await review(token);
    expect(asked).toBe(4);
  });

  it('should ask about few tokens at once, however many are guessed', async () => {
    let open = 0;
    let most = 0;
    const slow: Pick<KubeClient, 'request'> = {
      request: async (request) => {
        most = Math.max(most, (open += 1));
        const answer = await client.request(request);
        open -= 1;
        return answer;
      },
    };
    const { review } = createAccessReview({ client: slow, wanted: REPORT });
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => review(`guess-${index}`)));
    expect(most).toBeLessThanOrEqual(8);
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value !== 'unauthenticated')).toEqual([]);
  });

  it('should throw while the API server cannot be asked', async () => {
    const broken: Pick<KubeClient, 'request'> = { request: () => Promise.reject(new Error('no API server')) };
    await expect(createAccessReview({ client: broken, wanted: METRICS }).review('x')).rejects.toThrow('no API server');
  });
});
