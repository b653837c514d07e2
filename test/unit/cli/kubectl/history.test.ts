import { describe, expect, it } from 'vitest';
import { KubeApiError } from '../../../../src/kube/errors.ts';
import { lastRemovalText } from '../../../../src/report/last-removal.ts';
import { Answers, cluster, kubectl } from '../../../helpers/plugin.ts';

const HASH = 'ab'.repeat(32);
const FILE = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const EVIL = '\u001b[31mevil';

const item = {
  seq: 7,
  at: '2026-11-23T13:00:00.000Z',
  pass: 5,
  evidence: 6,
  action: 'unlink',
  kind: 'original',
  name: FILE,
  sizeBytes: 4096,
  allocatedBytes: 4096,
  inode: '131',
  modifiedAt: '2026-10-01T00:00:00.000Z',
  reason: 'Unused',
  outcome: 'removed',
  askedBy: 'schedule',
};

function answer(over: object = {}): object {
  const evidence = [{ seq: 6, type: 'evidence', sources: [{ name: 'pods', resourceVersion: '12' }] }];
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'LedgerHistory',
    node: 'node-1',
    items: [item, { ...item, seq: 8, name: EVIL, outcome: undefined }],
    passes: [],
    evidence,
    mark: { seq: 9, hash: HASH },
    unreadable: 0,
    ...over,
  };
}

/** node-1, whose annotation names record 9. */
function world(answered: unknown, asked: string[] = []) {
  const kube = cluster({
    'node-1': new Answers((path) => {
      asked.push(path);
      return answered;
    }),
  });
  const removal = { at: '2026-11-23T13:00:00Z', what: '1 base file removed, 4.0 KiB', ledger: { seq: 9, hash: HASH } };
  kube.putNode('node-1', 'u1', { 'basekeeper.io/last-removal': lastRemovalText(removal) });
  kube.putNode('node-2', 'u2', {});
  return kube;
}

describe('kubectl basekeeper history', () => {
  it('should show what the agent answers, newest last, and no control character', async () => {
    const { code, stdout, stderr } = await kubectl(world(answer()), ['history', 'node-1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[1]).toMatch(new RegExp(`^2026-11-23T13:00:00Z +removed +${FILE} +4\\.0 KiB +Unused +schedule$`));
    expect(lines[2]).toMatch(/unknown +\\u\{1b\}\[31mevil/);
    expect(lines.at(-1)).toBe('2 records: 1 removed (4.0 KiB), 1 unknown (4.0 KiB).');
  });

  it('should ask for what its options say, and for the record that the annotation names', async () => {
    const asked: string[] = [];
    const options = ['--since', '1h', '--until', '2026-11-23', '--file', `/x/${FILE}`, '--image', FILE, '--limit', '5'];
    await kubectl(world(answer(), asked), ['history', 'node/node-1', ...options.toSpliced(2, 2)]);
    const query = new URLSearchParams(asked[0]?.split('?')[1]);
    expect(Object.fromEntries(query)).toEqual({
      since: String(Date.parse('2026-11-23T13:00:00Z')),
      file: FILE,
      image: FILE,
      limit: '5',
      mark: '9',
    });
  });

  it('should give the whole answer to programs', async () => {
    const { stdout } = await kubectl(world(answer()), ['history', 'node-1', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'LedgerHistory', evidence: [{ sources: [{ resourceVersion: '12' }] }] });
    expect(stdout).not.toContain('\u001b');
    expect((await kubectl(world(answer()), ['history', 'node-1', '-o', 'name'])).stdout).toBe(`${FILE}\n\\u{1b}[31mevil\n`);
  });

  it.each([
    [{ seq: 9, hash: 'cd'.repeat(32) }, 'has another record 9 than its annotation basekeeper.io/last-removal names'],
    [undefined, 'lacks record 9, which its annotation basekeeper.io/last-removal names'],
  ])('should end with 1 where the ledger is not the one of the annotation: %j', async (mark, message) => {
    const { code, stdout, stderr } = await kubectl(world(answer({ mark })), ['history', 'node-1']);
    expect(code).toBe(1);
    expect(stdout).toContain(FILE);
    expect(stderr).toContain(`kubectl basekeeper: the ledger of node node-1 ${message}`);
    expect(stderr).toContain(`--head 9:${HASH}`);
  });

  it('should not miss a record where no annotation names one', async () => {
    const kube = world(answer({ mark: undefined }));
    kube.putNode('node-1', 'u1', { 'basekeeper.io/last-removal': '2026-11-23T13:00:00Z: 1 base file removed, 4.0 KiB' });
    expect(await kubectl(kube, ['history', 'node-1'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('should say what is wrong where the agent has no history', async () => {
    const notFound = new KubeApiError({ reason: 'NotFound', message: 'not found', status: 404 });
    const { code, stderr } = await kubectl(world(notFound), ['history', 'node-1']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^kubectl basekeeper: the agent on node node-1 has no history: its version is older, or /);
    expect((await kubectl(world(answer()), ['history', 'node-2'])).stderr).toContain('no agent runs on node node-2');
    expect((await kubectl(world({ kind: 'Report' }), ['history', 'node-1'])).stderr).toContain('is not a history that this version');
  });

  it('should refuse more than an agent gives', async () => {
    const { code, stderr } = await kubectl(world(answer()), ['history', 'node-1', '--limit', '0']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('It is a number from 1 to 10000.') as string });
  });
});
