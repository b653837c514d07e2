import { describe, expect, it } from 'vitest';
import { createApiPresence } from '../../../../src/kube/discovery/api-presence.ts';
import { listObjects } from '../../../../src/kube/watch/list.ts';
import type { KubeClient, KubeRequest } from '../../../../src/kube/types.ts';

/** Answers each request with what the function gives. */
function clientOf(answer: (request: KubeRequest) => unknown): KubeClient {
  return {
    request: async (request) => await Promise.resolve(answer(request)),
    // oxlint-disable-next-line require-yield -- nobody watches here
    async *stream() {
      throw new Error('no watch');
    },
    close: () => undefined,
  };
}

const { signal } = new AbortController();

describe('a list', () => {
  const list = async (answer: (request: KubeRequest) => unknown) =>
    await listObjects(
      clientOf(answer),
      { path: '/api/v1/pods', query: {}, accept: undefined, pageSize: 2, resourceVersion: undefined, signal },
      (object) => JSON.stringify(object),
    );
  const metadata = { resourceVersion: '7' };

  it('should be empty where Go writes null', async () => {
    expect(await list(() => ({ metadata, items: null }))).toEqual({ version: '7', items: new Map() });
  });

  it.each([
    ['no list', { metadata, items: {} }],
    ['no version', { metadata: {}, items: [] }],
    ['no object at all', 'pods'],
    ['an object without a UID', { metadata, items: [{ metadata: { name: 'a' } }] }],
  ])('should be refused for %s', async (_case, answer) => {
    await expect(list(() => answer)).rejects.toMatchObject({ reason: 'InvalidResponse' });
  });

  it('should not go round in circles where a server gives the same page again and again', async () => {
    await expect(list(() => ({ metadata: { ...metadata, continue: 'again' }, items: [] }))).rejects.toMatchObject({
      reason: 'InvalidResponse',
    });
  });
});

describe('discovery', () => {
  const groups = (...names: string[]) => ({
    kind: 'APIGroupList',
    groups: names.map((name) => ({ name, versions: [{ version: 'v1alpha3' }, { version: 'v1' }] })),
  });
  const resources = (...names: string[]) => ({ kind: 'APIResourceList', resources: names.map((name) => ({ name })) });
  const presenceOf = (answers: Record<string, unknown>, asked: string[] = []) => {
    const client = clientOf(({ path }) => {
      asked.push(path);
      return answers[path];
    });
    return createApiPresence({ client, group: 'kubevirt.io', version: 'v1', resource: 'virtualmachineinstances', now: () => asked.length });
  };

  it.each([
    [false, { '/apis': groups('apps') }],
    [false, { '/apis': groups('apps', 'kubevirt.io'), '/apis/kubevirt.io/v1': resources('virtualmachines') }],
    [
      true,
      {
        '/apis': groups('apps', 'kubevirt.io'),
        '/apis/kubevirt.io/v1': resources('virtualmachineinstances', 'virtualmachineinstances/status'),
      },
    ],
    [false, { '/apis': { kind: 'APIGroupList', groups: [{ name: 'kubevirt.io', versions: [{ version: 'v1alpha3' }] }] } }],
  ])('should be believed when it says %s', async (expected, answers) => {
    expect(await presenceOf(answers).exists(0, signal)).toBe(expected);
  });

  it.each([
    ['a Status', { kind: 'Status', groups: [] }],
    ['an empty object', {}],
    ['nothing', undefined],
    ['a list of another kind', resources()],
  ])('should prove nothing by %s', async (_case, answer) => {
    await expect(presenceOf({ '/apis': answer }).exists(0, signal)).rejects.toMatchObject({ reason: 'InvalidResponse' });
  });

  it('should be shared by anyone who asks for an answer that is no older, and not after a failure', async () => {
    const asked: string[] = [];
    const presence = presenceOf({ '/apis': groups() }, asked);
    await Promise.all([presence.exists(0, signal), presence.exists(0, signal)]);
    expect(asked).toHaveLength(1);
    await presence.exists(1, signal);
    expect(asked).toHaveLength(2);

    const failures: string[] = [];
    const failing = presenceOf({}, failures);
    for (let attempt = 0; attempt < 2; attempt++) await failing.exists(0, signal).catch(() => undefined);
    expect(failures).toHaveLength(2);
  });
});
