import { describe, expect, it } from 'vitest';
import { baseNameOf, followChain } from '../../../src/overlays/chain.ts';
import type { ImageHeader, Inspection } from '../../../src/images/header.ts';
import { parseImageHeader } from '../../../src/images/formats/formats.ts';
import { contextOf, type ContextSpec } from '../../helpers/chain-context.ts';
import { qcow2Header, type Qcow2Spec } from '../../helpers/qcow2-image.ts';

const image = (spec: Qcow2Spec): ImageHeader => parseImageHeader(qcow2Header(spec), () => Buffer.alloc(0));

/** Follows the chain of `vm/disk`; records which files were inspected, with `+` where the header was wanted. */
function follow(header: ImageHeader, files: Readonly<Record<string, Inspection>> = {}, surroundings: Partial<ContextSpec> = {}) {
  const inspected: string[] = [];
  const inspect = (path: string, withHeader: boolean): Inspection => {
    inspected.push(withHeader ? `${path}+` : path);
    const found = files[path] ?? { kind: 'absent' };
    return withHeader || found.kind === 'absent' ? found : { kind: 'raw' };
  };
  const chain = followChain('vm/disk', header, contextOf({ ...surroundings, inspect }));
  return { ...chain, inspected };
}

describe('followChain', () => {
  it('should not look into a backing file that is declared raw, whatever it holds', () => {
    const { state, inspected, links } = follow(image({ backingFile: '/i/_base/a', backingFormat: 'raw' }), {
      '_base/a': image({ backingFile: 'b' }),
    });
    expect({ state, inspected, names: links.map(({ baseName }) => baseName) }).toEqual({
      state: 'ok',
      inspected: ['_base/a'],
      names: ['a'],
    });
  });

  it.each(['qcow2', undefined])('should look into a backing file whose format is %s', (backingFormat) => {
    const { links, inspected } = follow(image({ backingFile: '/i/_base/a', ...(backingFormat && { backingFormat }) }), {
      '_base/a': image({ backingFile: 'b' }),
      '_base/b': { kind: 'raw' },
    });
    expect(inspected).toEqual(['_base/a+', '_base/b+']);
    expect(links.map(({ baseName }) => baseName)).toEqual(['a', 'b']);
  });

  it('should let the format of a json: reference win over the declared one', () => {
    const backingFile = 'json:{"driver":"qcow2","file":{"driver":"file","filename":"/i/_base/a"}}';
    const { links } = follow(image({ backingFile, backingFormat: 'raw' }), {
      '_base/a': image({ backingFile: 'b' }),
      '_base/b': { kind: 'raw' },
    });
    expect(links.length).toBe(2);
  });

  it('should not understand a backing format that it does not read', () => {
    expect(follow(image({ backingFile: '/i/_base/a', backingFormat: 'ploop' }), { '_base/a': { kind: 'raw' } })).toMatchObject({
      state: 'unreadable',
      message: '_base/a: the backing format "ploop" is not read',
      links: [{ baseName: 'a', exists: true }],
    });
  });

  it('should not understand a file whose bytes announce another format than it is named as', () => {
    const found = { '_base/a': { kind: 'image', format: 'vdi' } } as const;
    expect(follow(image({ backingFile: '/i/_base/a', backingFormat: 'vmdk' }), found)).toMatchObject({
      state: 'unreadable',
      message: '_base/a: it is named as vmdk, and its bytes are of vdi',
    });
    expect(follow(image({ backingFile: '/i/_base/a', backingFormat: 'vdi' }), found).state).toBe('ok');
    // QEMU refuses what lacks the magic number of the format.
    expect(follow(image({ backingFile: '/i/_base/a', backingFormat: 'qcow2' }), found).state).toBe('ok');
  });

  it('should protect an external data file beside the backing file', () => {
    const header = image({ backingFile: '/i/_base/a', backingFormat: 'raw', dataFile: '/i/_base/data', incompatibleFeatures: 0b100n });
    const { state, links } = follow(header, { '_base/a': { kind: 'raw' }, '_base/data': { kind: 'raw' } });
    expect(state).toBe('ok');
    expect(links.map(({ baseName }) => baseName)).toEqual(['data', 'a']);
  });

  it('should not know where the data is when the header does not name its data file', () => {
    expect(follow(image({ incompatibleFeatures: 0b100n }))).toMatchObject({ state: 'unreadable', links: [] });
  });

  it('should name the graver of two problems', () => {
    const header = image({ backingFile: '/i/_base/gone', dataFile: '/elsewhere', incompatibleFeatures: 0b100n });
    expect(follow(header, {}, { baseFiles: ['elsewhere'] })).toMatchObject({
      state: 'unknown-backing',
      message: '"/elsewhere" is outside the instances path; the base file of that name is kept',
    });
    const worse = image({ backingFile: 'file:unclear', dataFile: '/elsewhere', incompatibleFeatures: 0b100n });
    expect(follow(worse, {}, { baseFiles: ['elsewhere'] }).state).toBe('unreadable');
  });

  it('should see an overlay that stands on itself', () => {
    const self = image({ backingFile: 'disk' });
    expect(follow(self, { 'vm/disk': self })).toMatchObject({ state: 'unreadable', message: 'the backing chain returns to vm/disk' });
  });

  it('should report a backing file name that is not UTF-8 as unclear', () => {
    const { state, links } = follow(image({ backingFile: Buffer.from('/i/_base/\xe4', 'latin1') }));
    expect({ state, links }).toEqual({
      state: 'unreadable',
      links: [{ reference: '/i/_base/\ufffd', baseName: undefined, path: undefined, exists: false, protects: ['\ufffd'] }],
    });
  });

  it.each([
    ['irregular', 'unreadable'],
    ['unreadable', 'unreadable'],
  ] as const)('should say which file of the chain is %s', (kind, state) => {
    expect(follow(image({ backingFile: '/i/_base/a' }), { '_base/a': { kind, message: 'EIO' } })).toMatchObject({
      state,
      message: '_base/a: EIO',
    });
  });
});

describe('a reference that leads out of the instances path', () => {
  it.each(['raw', 'qcow2', undefined])(
    'should leave the overlay unreadable where no base file has its name, format %s',
    (backingFormat) => {
      const header = image({ backingFile: '/srv/golden.img', ...(backingFormat && { backingFormat }) });
      expect(follow(header)).toMatchObject({
        state: 'unreadable',
        message: expect.stringMatching(/outside the instances path and not read/),
        advice: expect.stringMatching(/hostInstancesPath.*ignore/),
        links: [{ protects: ['golden.img'], exists: false }],
      });
    },
  );

  it('should protect the base file of its last component, however it is spelled', () => {
    for (const backingFile of ['/mnt/x/_base/a', 'json:{"driver":"raw","file.filename":"/mnt/x/_base/a"}', 'file:/mnt/x/_base/a']) {
      const { state, links } = follow(image({ backingFile, backingFormat: 'raw' }), {}, { baseFiles: ['a'] });
      expect({ state, protects: links[0]?.protects }, backingFile).toEqual({ state: 'unknown-backing', protects: ['a'] });
    }
  });

  it('should go on in the base file of that name where the tree seems to be mounted elsewhere', () => {
    const files = { '_base/a': image({ backingFile: 'b', backingFormat: 'raw' }), '_base/b': { kind: 'raw' } as const };
    const { state, links } = follow(image({ backingFile: '/mnt/x/_base/a', backingFormat: 'qcow2' }), files, { baseFiles: ['a', 'b'] });
    expect({ state, names: links.map(({ baseName }) => baseName) }).toEqual({ state: 'ok', names: ['a', 'b'] });
  });

  it('should not trust a file of another directory to be that base file', () => {
    const header = image({ backingFile: '/srv/images/a', backingFormat: 'qcow2' });
    expect(follow(header, {}, { baseFiles: ['a'] })).toMatchObject({ state: 'unreadable', links: [{ protects: ['a'] }] });
  });

  it('should be kept by what its bytes name where it is opened as raw, which opens nothing further outside', () => {
    const files = {
      '/srv/mid': image({ backingFile: '/srv/other', backingFormat: 'qcow2' }),
      '/srv/named': image({ backingFile: '/i/_base/b' }),
      '_base/b': { kind: 'raw' as const },
    };
    const top = (name: string) => image({ backingFile: name, backingFormat: 'raw' });
    const seenOutside = ['/srv/mid', '/srv/named'];
    const kept = follow(top('/srv/named'), files, { seenOutside });
    expect([kept.state, kept.links.map(({ baseName }) => baseName)]).toEqual(['ok', [undefined, 'b']]);
    const unread = follow(top('/srv/mid'), files, { seenOutside, unnamedOutside: ['/srv/other'] });
    expect([unread.state, unread.links.at(-1)?.protects, unread.inspected]).toEqual(['ok', ['other'], ['/srv/mid', '/srv/mid+']]);
  });

  it('should end where files outside that are opened as raw name each other', () => {
    const loop = (name: string) => image({ backingFile: name, backingFormat: 'raw' });
    const files = { '/srv/a': loop('/srv/b'), '/srv/b': loop('/srv/a') };
    expect(follow(loop('/srv/a'), files, { seenOutside: ['/srv/a', '/srv/b'] })).toMatchObject({ state: 'ok', links: [{}, {}, {}] });
  });

  it('should be followed where a source names the file', () => {
    const files = { '/srv/snap': image({ backingFile: '/i/_base/a', backingFormat: 'raw' }), '_base/a': { kind: 'raw' } as const };
    const { state, links } = follow(image({ backingFile: '/srv/snap', backingFormat: 'qcow2' }), files, { seenOutside: ['/srv/snap'] });
    expect({ state, names: links.map(({ baseName }) => baseName) }).toEqual({ state: 'ok', names: [undefined, 'a'] });
  });

  it.each([
    ['raw', 'unknown-backing'],
    ['qcow2', 'unreadable'],
    [undefined, 'unreadable'],
  ])('should be known to end on another machine only where its format is %s', (backingFormat, state) => {
    expect(follow(image({ backingFile: 'nbd://h/x', ...(backingFormat && { backingFormat }) })).state).toBe(state);
  });
});

describe('a base file that is declared raw', () => {
  it('should be noted, so that its bytes hold nothing', () => {
    const files = { '_base/a': { kind: 'raw' } as const };
    const rawBases = ['raw', 'qcow2'].map((backingFormat) => follow(image({ backingFile: '/i/_base/a', backingFormat }), files).rawBases);
    expect(rawBases).toEqual([['a'], []]);
  });
});

describe('baseNameOf', () => {
  it.each([
    ['_base/a', 'a'],
    ['_base/a/b', undefined],
    ['_base/', undefined],
    ['_base', undefined],
    ['_based/a', undefined],
    ['vm/_base/a', undefined],
  ])('should find in %s the base file %s', (path, name) => {
    expect(baseNameOf(path, '_base')).toBe(name);
  });

  it('should know a base directory that lies deeper', () => {
    expect(baseNameOf('cache/_base/a', 'cache/_base')).toBe('a');
  });
});
