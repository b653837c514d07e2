import { describe, expect, it } from 'vitest';
import type { TreeSpec } from '../../helpers/tree.ts';
import { IMPLEMENTATIONS } from './trees.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const NONE: ReadonlySet<string> = new Set();

/** Images in `_base` that stand on one another: level0 on level1 and so on; the last is missing. */
function chain(levels: number): TreeSpec {
  return Object.fromEntries(
    Array.from({ length: levels }, (_, level) => [`_base/level${level}`, { qcow2: { backingFile: `level${level + 1}` } }]),
  );
}

describe.each(IMPLEMENTATIONS)('OverlayScanner, $name', ({ make }) => {
  const scanOf = async (spec: TreeSpec) => {
    using tree = make(spec);
    return await tree.overlayScanner().scan({ instanceNames: NONE });
  };
  const overlayOf = async (spec: TreeSpec) => (await scanOf(spec)).overlays.find(({ path }) => path === 'vm/disk');

  it('should name the base file that a disk of any directory stands on, known or not', async () => {
    const { overlays, unseen } = await scanOf({
      [`_base/${A}`]: {},
      'instance-1/disk': { qcow2: { backingFile: `{instances}/_base/${A}`, backingFormat: 'raw' } },
      'instance-2_resize/disk.local': { qcow2: { backingFile: `{instances}/_base/${A}` } },
    });
    expect(unseen).toEqual([]);
    expect(overlays.map(({ instance, path, state }) => ({ instance, path, state }))).toEqual(
      expect.arrayContaining([
        { instance: 'instance-1', path: 'instance-1/disk', state: 'ok' },
        { instance: 'instance-2_resize', path: 'instance-2_resize/disk.local', state: 'ok' },
      ]),
    );
    expect(overlays[0]?.chain).toMatchObject([{ baseName: A, path: `_base/${A}`, exists: true }]);
  });

  it('should follow a chain through the base directory', async () => {
    const overlay = await overlayOf({
      [`_base/${A}`]: { qcow2: { backingFile: B, backingFormat: 'qcow2' } },
      [`_base/${B}`]: { qcow2: {} },
      'vm/disk': { qcow2: { backingFile: `../_base/${A}`, backingFormat: 'qcow2' } },
    });
    expect(overlay?.state).toBe('ok');
    expect(overlay?.chain.map(({ baseName }) => baseName)).toEqual([A, B]);
  });

  it('should follow a chain through another instance directory', async () => {
    const overlay = await overlayOf({
      [`_base/${A}`]: {},
      'other/snap': { qcow2: { backingFile: `file:{instances}/_base/${A}` } },
      'vm/disk': { qcow2: { backingFile: '../other/snap' } },
    });
    expect(overlay?.chain).toEqual([
      { reference: '../other/snap', baseName: undefined, path: 'other/snap', exists: true, protects: ['snap'] },
      { reference: expect.stringMatching(/^\/.*\/_base\/a+$/), baseName: A, path: `_base/${A}`, exists: true, protects: [A] },
    ]);
  });

  it('should call a disk without backing file flat', async () => {
    expect(await overlayOf({ 'vm/disk': { qcow2: {} } })).toMatchObject({ state: 'flat', chain: [] });
    expect(await overlayOf({ 'vm/disk': { content: 'raw bytes' } })).toMatchObject({ state: 'flat', chain: [] });
    expect(await overlayOf({ 'vm/disk': {} })).toMatchObject({ state: 'flat' });
  });

  it('should tell a missing backing file, by name', async () => {
    const overlay = await overlayOf({ 'vm/disk': { qcow2: { backingFile: `{instances}/_base/${A}` } } });
    expect(overlay).toMatchObject({ state: 'missing-backing', chain: [{ baseName: A, exists: false }] });
    expect(overlay?.message).toContain(A);
  });

  it.each([
    ['/srv/elsewhere/image', 'outside'],
    ['nbd://10.0.0.1/image', 'not a local file'],
  ])('should not know what lies beyond %s', async (backingFile, message) => {
    const overlay = await overlayOf({ '_base/image': {}, 'vm/disk': { qcow2: { backingFile, backingFormat: 'raw' } } });
    expect(overlay).toMatchObject({ state: 'unknown-backing', chain: [{ reference: backingFile, path: undefined, exists: false }] });
    expect(overlay?.message).toContain(message);
  });

  it.each([undefined, 'qcow2'])('should call an overlay unreadable whose chain may go on elsewhere, format %s', async (backingFormat) => {
    const format = backingFormat === undefined ? {} : { backingFormat };
    const overlay = await overlayOf({ 'vm/disk': { qcow2: { backingFile: '/srv/elsewhere/snapshot', ...format } } });
    expect(overlay).toMatchObject({ state: 'unreadable', chain: [{ path: undefined, exists: false }] });
    expect(overlay?.message).toContain('outside the instances path');
  });

  it.each(['json:{"driver":"blkdebug","image":"x"}', 'file:relative', 'blkdebug::/srv/x'])(
    'should call an overlay unreadable when %s may mean any file',
    async (backingFile) => {
      const overlay = await overlayOf({ 'vm/disk': { qcow2: { backingFile } } });
      expect(overlay).toMatchObject({ state: 'unreadable', chain: [{ path: undefined, exists: false }] });
    },
  );

  it('should protect what a json: reference names', async () => {
    const overlay = await overlayOf({
      [`_base/${A}`]: {},
      'vm/disk': { qcow2: { backingFile: `json:{"driver":"raw","file":{"driver":"file","filename":"{instances}/_base/${A}"}}` } },
    });
    expect(overlay).toMatchObject({ state: 'ok', chain: [{ baseName: A }] });
  });

  it('should stop at a cycle', async () => {
    const overlay = await overlayOf({
      [`_base/${A}`]: { qcow2: { backingFile: B } },
      [`_base/${B}`]: { qcow2: { backingFile: A } },
      'vm/disk': { qcow2: { backingFile: `../_base/${A}` } },
    });
    expect(overlay?.state).toBe('unreadable');
    expect(overlay?.chain.map(({ baseName }) => baseName)).toEqual([A, B, A]);
  });

  it('should follow 32 levels and no more', async () => {
    const disk: TreeSpec = { 'vm/disk': { qcow2: { backingFile: '../_base/level0' } } };
    const longest = await overlayOf({ ...chain(31), '_base/level31': {}, ...disk });
    expect(longest?.state).toBe('ok');
    expect(longest?.chain.length).toBe(32);
    const longer = await overlayOf({ ...chain(32), '_base/level32': {}, ...disk });
    expect(longer?.state).toBe('unreadable');
    expect(longer?.chain.length).toBe(32);
  });

  it('should call an overlay unreadable when its header, or one below it, cannot be parsed', async () => {
    const broken = { content: Buffer.from('QFI\xfb\0\0\0\x03truncated', 'latin1') };
    expect(await overlayOf({ 'vm/disk': broken })).toMatchObject({ state: 'unreadable', chain: [] });
    const below = await overlayOf({ [`_base/${A}`]: broken, 'vm/disk': { qcow2: { backingFile: `../_base/${A}` } } });
    expect(below).toMatchObject({ state: 'unreadable', chain: [{ baseName: A, exists: true }] });
    expect(below?.message).toContain(`_base/${A}`);
  });

  it('should not take a format that may have a parent for a flat disk', async () => {
    expect(await overlayOf({ 'vm/disk': { content: 'KDMV, and so on' } })).toMatchObject({ state: 'unreadable' });
  });

  it('should keep the link but not trust a header that uses unknown features', async () => {
    const overlay = await overlayOf({
      [`_base/${A}`]: {},
      'vm/disk': { qcow2: { backingFile: `../_base/${A}`, incompatibleFeatures: 1n << 40n } },
    });
    expect(overlay).toMatchObject({ state: 'unreadable', chain: [{ baseName: A, exists: true }] });
  });

  it('should say that it did not follow a link which leads out of the instances path', async () => {
    const scan = await scanOf({
      'elsewhere/x': {},
      'vm/disk': { symlink: '../elsewhere/x' },
      'vm/console.log': { symlink: '/etc/hostname' },
      moved: { symlink: '/srv/moved' },
      [`_base/${A}`]: { symlink: '/srv/image' },
      'other/disk': { qcow2: { backingFile: `../_base/${A}` } },
    });
    expect(scan.overlays.find(({ path }) => path === 'other/disk')).toMatchObject({
      state: 'unreadable',
      chain: [{ protects: [A, 'image'] }],
    });
    expect(scan.unseen.map(({ path }) => path).toSorted()).toEqual([`_base/${A}`, 'moved', 'other/disk', 'vm/console.log']);
  });

  it('should see images at any depth, and directly in the instances path', async () => {
    const { overlays, unseen } = await scanOf({
      [`_base/${A}`]: {},
      'tenant/vm/disk': { qcow2: { backingFile: `../../_base/${A}` } },
      'a/b/c/d/.hidden': { qcow2: { backingFile: `../../../../_base/${A}` } },
      'vm.qcow2': { qcow2: { backingFile: `_base/${A}` } },
    });
    expect(unseen).toEqual([]);
    const seen = overlays.map(({ instance, path, chain: links }) => [instance, path, links.flatMap(({ protects }) => protects)]);
    expect(seen.toSorted(([a = ''], [b = '']) => String(a).localeCompare(String(b)))).toEqual([
      ['a', 'a/b/c/d/.hidden', [A]],
      ['tenant', 'tenant/vm/disk', [A]],
      ['vm.qcow2', 'vm.qcow2', [A]],
    ]);
  });

  it('should say what a base file stands on', async () => {
    const { baseImages } = await scanOf({ [`_base/${A}`]: { qcow2: { backingFile: B, backingFormat: 'raw' } }, [`_base/${B}`]: {} });
    expect(baseImages).toMatchObject([{ name: A, inTrash: false, state: 'ok', chain: [{ baseName: B, protects: [B] }] }]);
  });

  it('should look at files with other names as well, but list images only', async () => {
    const { overlays } = await scanOf({
      [`_base/${A}`]: {},
      'vm/root.snap1': { qcow2: { backingFile: `../_base/${A}` } },
      'vm/kernel': { content: 'MZ' },
      'vm/console.log': { content: 'boot' },
      'vm/disk.info': { content: '{}' },
      'locks/nova-x': {},
      compute_nodes: { content: '{}' },
    });
    expect(overlays.map(({ path }) => path)).toEqual(['vm/root.snap1']);
  });

  it('should read no header again while nothing changes', async () => {
    using tree = make({
      [`_base/${A}`]: {},
      'vm1/disk': { qcow2: { backingFile: `../_base/${A}` } },
      'vm2/disk': { qcow2: { backingFile: `../_base/${A}` } },
    });
    const scanner = tree.overlayScanner();
    const first = await scanner.scan({ instanceNames: NONE });
    expect(first.headersRead).toBe(3);
    const second = await scanner.scan({ instanceNames: NONE });
    expect(second.headersRead).toBe(0);
    expect(second.headersCached).toBeGreaterThanOrEqual(3);
    expect(second.overlays).toEqual(first.overlays);
    tree.add({ 'vm1/disk': { qcow2: {} } });
    const third = await scanner.scan({ instanceNames: NONE });
    expect(third.headersRead).toBe(1);
    expect(third.overlays.find(({ instance }) => instance === 'vm1')?.state).toBe('flat');
  });

  it('should stop with the reason of an aborted signal', async () => {
    using tree = make({ 'vm/disk': {} });
    const reason = new Error('shutting down');
    await expect(tree.overlayScanner().scan({ instanceNames: NONE, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
