import { describe, expect, it } from 'vitest';
import { removeNodeAnnotations } from '../../../src/fleet/cleanup.ts';
import { apiError, memoryKube, type MemoryKube } from '../../helpers/memory-kube.ts';

const OURS = { 'basekeeper.io/summary': 's', 'basekeeper.io/mode': 'enforce' };
const OTHERS = { 'example.com/basekeeper.io': 'kept', 'notbasekeeper.io/summary': 'kept' };

function clean(client: MemoryKube, whilePausing: () => void = () => undefined) {
  const sleep = () => Promise.resolve(whilePausing());
  return removeNodeAnnotations({ client, timing: { sleep, random: () => 0 }, signal: new AbortController().signal });
}

const patches = (kube: MemoryKube) => kube.requests.filter(({ method }) => method === 'PATCH');

describe('removeNodeAnnotations', () => {
  it('should remove our annotations, and no others, from every node of many pages', async () => {
    const kube = memoryKube();
    const names = Array.from({ length: 1203 }, (_, index) => `node-${index}`);
    for (const name of names) kube.putNode(name, `uid-${name}`, { ...OURS, ...OTHERS });
    const { cleaned, failed } = await clean(kube);
    expect(cleaned.toSorted()).toEqual(names.toSorted());
    expect(failed).toEqual(new Map());
    for (const name of names) expect(kube.node(name)?.annotations).toEqual(OTHERS);
    expect(kube.requests.filter(({ method, query }) => method === 'GET' && query?.['limit'] === '500')).toHaveLength(6);
  });

  it('should write nothing to nodes that have none of ours', async () => {
    const kube = memoryKube();
    kube.putNode('a', '1', OTHERS);
    expect(await clean(kube)).toEqual({ cleaned: [], failed: new Map() });
    expect(patches(kube)).toEqual([]);
  });

  it('should look again, because an agent that is being stopped may write once more', async () => {
    const kube = memoryKube();
    kube.putNode('a', '1', OURS);
    let late = 0;
    const { cleaned } = await clean(kube, () => {
      late += 1;
      if (late === 1) kube.putNode('a', '1', { ...OURS, ...OTHERS });
    });
    expect(cleaned).toEqual(['a']);
    expect(kube.node('a')?.annotations).toEqual(OTHERS);
  });

  it('should not mind a node that goes away meanwhile', async () => {
    const kube = memoryKube();
    kube.putNode('a', '1', OURS);
    kube.refuse = ({ method }) => {
      if (method === 'PATCH') kube.deleteNode('a');
      return undefined;
    };
    expect((await clean(kube)).failed).toEqual(new Map());
  });

  it('should try again where the server is busy', async () => {
    const kube = memoryKube();
    kube.putNode('a', '1', OURS);
    let refusals = 2;
    kube.refuse = () => (refusals-- > 0 ? apiError(429) : undefined);
    expect((await clean(kube)).cleaned).toEqual(['a']);
  });

  it('should tell which nodes still have annotations and why, and clean the others', async () => {
    const kube = memoryKube();
    for (const name of ['a', 'b']) kube.putNode(name, name, OURS);
    kube.refuse = ({ path }) => (path.endsWith('/a') ? apiError(403) : undefined);
    const { cleaned, failed } = await clean(kube);
    expect(cleaned).toEqual(['b']);
    expect(failed).toEqual(new Map([['a', 'answered 403']]));
  });

  it('should throw when the nodes cannot be listed', async () => {
    const kube = memoryKube();
    kube.refuse = () => apiError(403);
    await expect(clean(kube)).rejects.toThrow('403');
  });
});
