import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { apiError, type MemoryKube } from '../../../helpers/memory-kube.ts';
import { cluster, kubectl, written } from '../../../helpers/plugin.ts';
import { heldReport, report } from '../../../helpers/reports.ts';

describe('the formats of status', () => {
  const world = (): MemoryKube => {
    const kube = cluster();
    kube.putNode('node-with-a-long-name.example.com', '1', written(heldReport()));
    return kube;
  };

  it('should show whole names where it is asked to be wide, and when something was removed last', async () => {
    const removing = written(report({ totals: { ...report().totals, removedFiles: 2, removedBytes: 2 ** 31 } }));
    const kube = cluster();
    kube.putNode('node-with-a-long-name.example.com', '1', removing);
    const { stdout } = await kubectl(kube, ['status', '-o', 'wide'], { terminal: { columns: 60 } });
    expect(stdout).toMatch(/^NODE .* FILES .* LAST REMOVAL {2,}HELD BECAUSE\n/);
    expect(stdout).toMatch(/\nnode-with-a-long-name\.example\.com .* 2 base files removed, 2\.0 GiB, \d+\w ago/);
  });

  it('should give names as kubectl does, and the same document as YAML', async () => {
    expect((await kubectl(world(), ['status', '-o', 'name'])).stdout).toBe('node/node-with-a-long-name.example.com\n');
    const { stdout } = await kubectl(world(), ['status', '-o', 'yaml']);
    expect(parse(stdout)).toEqual(JSON.parse((await kubectl(world(), ['status', '-o', 'json'])).stdout));
  });
});

describe('kubectl basekeeper status --watch', () => {
  /** A watch that shows these changes and then ends as the process is asked to. */
  function watched(kube: MemoryKube, changes: readonly (() => unknown)[]): AbortController {
    const stopping = new AbortController();
    let version = 10;
    kube.stream = async function* () {
      await Promise.resolve();
      for (const change of changes) {
        version += 1;
        const object = change() as { metadata: object };
        yield { type: 'MODIFIED', object: { metadata: { ...object.metadata, resourceVersion: String(version) } } };
      }
      stopping.abort();
    };
    return stopping;
  }
  const node = (name: string, annotations: object) => ({ metadata: { name, uid: name, annotations } });

  it('should show all nodes, and then each that changed, in one table', async () => {
    const kube = cluster();
    kube.putNode('node-1', 'node-1', written(report()));
    kube.putNode('node-2', 'node-2', written(report()));
    const { signal } = watched(kube, [() => node('node-1', written(report())), () => node('node-2', written(heldReport()))]);
    const { code, stdout } = await kubectl(kube, ['status', '--watch'], { signal });
    expect(code).toBe(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/).slice(0, 3).join(' '));
    // node-1 did not change: only something else about the Node did.
    expect(rows).toEqual(['NODE MODE RESULT', 'node-1 enforce Succeeded', 'node-2 enforce Succeeded', 'node-2 - Held']);
    expect(stdout.trimEnd()).toMatch(/Held .* SourceNotSy…$/);
  });

  it.each([
    [
      'json',
      (text: string) =>
        text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as object),
    ],
    ['yaml', (text: string) => parseAllDocuments(text).map((document) => document.toJS() as object)],
  ] as const)('should give a document for each: %s', async (format, read) => {
    const kube = cluster();
    kube.putNode('node-1', 'node-1', written(report()));
    const { signal } = watched(kube, [() => node('node-1', written(heldReport()))]);
    const { stdout } = await kubectl(kube, ['status', 'node-1', '-w', '-o', format], { signal });
    expect(read(stdout)).toMatchObject([
      { kind: 'NodeStatus', node: 'node-1', result: 'Succeeded' },
      { kind: 'NodeStatus', node: 'node-1', result: 'Held' },
    ]);
    expect(kube.requests[0]?.query).toMatchObject({ fieldSelector: 'metadata.name=node-1' });
  });

  it('should say which right is missing, instead of waiting for nothing', async () => {
    const kube = cluster();
    kube.putNode('node-1', 'node-1', written(report()));
    // eslint-disable-next-line require-yield
    kube.stream = async function* () {
      await Promise.resolve();
      throw apiError(403);
    };
    const { code, stderr } = await kubectl(kube, ['status', '--watch']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'kubectl basekeeper: cannot watch nodes; it takes the right to list and watch nodes: answered 403\n',
    });
  });
});
