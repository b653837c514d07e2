import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubeClient, type KubeClientOptions } from '../../../src/kube/client/client.ts';
import { listObjects } from '../../../src/kube/watch/list.ts';
import { adminKubeConfig, asAdmin, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';

const CHILD = new URL('../../helpers/list-child.ts', import.meta.url).pathname;
const PODS = 6;
/** About as many as etcd takes of one pod: 2.2 MB of JSON, and some 15 MB once parsed. */
const VARIABLES = 170_000;

let server: KubeServer;

beforeAll(async () => {
  server = await startKubeServer();
  await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name: 'tenant' } });
  const env = Array.from({ length: VARIABLES }, () => ({ name: 'A' }));
  for (let number = 0; number < PODS; number += 1) {
    const spec = { nodeName: 'node-a', containers: [{ name: 'main', image: 'registry.example/app', env }] };
    await asAdmin(server, 'POST', '/api/v1/namespaces/tenant/pods', { metadata: { name: `large-${number}` }, spec });
  }
}, 300_000);
afterAll(async () => await server.stop());

describe('a list of the largest objects that a tenant can make, on a real API server', () => {
  it('should be read in the memory that one of them takes', async () => {
    const args = ['--max-old-space-size=48', '--max-semi-space-size=1', CHILD, server.kubeconfigPath];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe(String(2 * PODS));
  });

  const list = async (options: Pick<KubeClientOptions, 'listLimitBytes' | 'responseLimitBytes'>) => {
    const client = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'test', ...options });
    const request = { path: '/api/v1/pods', query: {}, accept: undefined, pageSize: 500, resourceVersion: undefined };
    try {
      return (await listObjects(client, { ...request, signal: AbortSignal.timeout(60_000) }, () => true)).items.size;
    } finally {
      client.close();
    }
  };

  it('should be refused beyond its own limit only, with the namespace that fills it', async () => {
    expect(await list({ responseLimitBytes: 1e6 })).toBe(PODS);
    await expect(list({ listLimitBytes: 8e6 })).rejects.toMatchObject({
      reason: 'InvalidResponse',
      message: expect.stringMatching(
        /^the list is longer than 8000000 bytes; \d{7} bytes of what came are objects of the namespace "tenant": make them smaller/,
      ) as string,
    });
  });
});
