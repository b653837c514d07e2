import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podObject } from '../../helpers/kube-objects.ts';
import { asAdmin, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';
import { allowPods, create, eventually, startKubeSide } from '../../helpers/kube-sources.ts';

const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims';
const NODE = 'n-claims';

let server: KubeServer;

beforeAll(async () => {
  server = await startKubeServer();
  await allowPods(server);
});
afterAll(async () => await server.stop());

/** A pod of a tenant: it names claims, whether they exist or not. */
async function podWith(name: string, claims: readonly string[]): Promise<void> {
  const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
  const volumeMounts = claims.map((claim) => ({ name: claim, mountPath: `/${claim}` }));
  const pod = podObject({ name, node: NODE, hostPaths: [] });
  const spec = { nodeName: NODE, containers: [{ name: 'main', image: 'registry.example/app:1', volumeMounts }], volumes };
  await create(server, 'pods', { ...pod, spec });
}

const missing = (count: number): string[] => Array.from({ length: count }, (_, index) => `missing-${index}`);

describe('a tenant whose pods name claims that do not exist', () => {
  it('should cost the API server a bounded number of requests a pass, each claim one, and hold where they are too many', async () => {
    const { pods, requests, stop } = startKubeSide(server, { nodeName: NODE, readsClaims: true });
    const asked = async (): Promise<{ answers: Record<string, number>; messages: string[] }> => {
      requests.splice(0);
      const { gaps } = await pods.read({ consistent: true });
      const answers = Object.groupBy(
        requests.filter((request) => request.startsWith('get')),
        (request) => request,
      );
      return {
        answers: Object.fromEntries(Object.entries(answers).map(([answer, all]) => [answer, all?.length ?? 0])),
        messages: gaps.map(({ message }) => message),
      };
    };
    try {
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeName: 'disk' };
      await asAdmin(server, 'POST', CLAIMS, { metadata: { name: 'bound' }, spec });
      const volume = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/elsewhere' } };
      await asAdmin(server, 'POST', '/api/v1/persistentvolumes', { metadata: { name: 'disk' }, spec: volume });
      for (let index = 0; index < 4; index++) await podWith(`few-${index}`, ['bound', ...missing(200)]);
      await eventually(async () => expect((await pods.read({ consistent: false })).status.state).toBe('synced'));
      // Four pods, 800 names; and what is bound is settled.
      expect((await asked()).messages).toEqual([]);
      expect(await asked()).toMatchObject({ answers: { 'get 404': 200 }, messages: [] });

      await podWith('many', missing(700));
      const { answers, messages } = await asked();
      expect(answers).toMatchObject({ 'get 404': 256 });
      // What the others name was asked for before, and now has to wait.
      expect(messages).toHaveLength(5);
      expect(messages.find((message) => message.startsWith('Pod default/many'))).toMatch(
        /: its volume claims "missing-\d+", "missing-\d+", "missing-\d+" and 441 more may lead to the instances path: a pass looks up 256 claims/,
      );
    } finally {
      await stop();
    }
  });
});
