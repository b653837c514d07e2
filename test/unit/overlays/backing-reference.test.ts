import { array, assert, constantFrom, json, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayReference, resolveReference } from '../../../src/overlays/backing-reference.ts';

const ROOT = '/var/lib/nova/instances';
const resolve = (reference: string, from = 'vm/disk', roots: readonly string[] = [ROOT]) => resolveReference(reference, { roots, from });

describe('resolveReference', () => {
  it.each([
    [`${ROOT}/_base/image`, '_base/image'],
    [`${ROOT}//_base/./image`, '_base/image'],
    [`${ROOT}/vm/../_base/image`, '_base/image'],
    [`${ROOT}/_base/image/`, '_base/image'],
    ['../_base/image', '_base/image'],
    ['../../instances/_base/image', '_base/image'],
    ['image', 'vm/image'],
    ['./a:b', 'vm/a:b'],
    ['sub/a:b', 'vm/sub/a:b'],
    [`file:${ROOT}/_base/image`, '_base/image'],
    [`file://${ROOT}/_base/image`, '_base/image'],
    [`${ROOT}/_base/name with spaces\nand lines`, '_base/name with spaces\nand lines'],
    [`json:{"driver":"file","filename":"${ROOT}/_base/image"}`, '_base/image'],
    [`json:{"filename":"${ROOT}/_base/image"}`, '_base/image'],
    [`json:{"file.filename":"${ROOT}/_base/image","file.driver":"file"}`, '_base/image'],
    [`json:{"file":{"filename":"${ROOT}/_base/image","locking":"off"},"read-only":true}`, '_base/image'],
  ])('should find %j inside', (reference, path) => {
    expect(resolve(reference)).toEqual({ kind: 'inside', path });
  });

  it('should count relative names from the directory of the file that holds them', () => {
    expect(resolve('parent', '_base/image')).toEqual({ kind: 'inside', path: '_base/parent' });
  });

  it.each([
    ['json:{"driver":"raw","file":{"driver":"file","filename":"/r/x"}}', 'raw'],
    ['json:{"driver":"qcow2","file.filename":"/r/x"}', 'qcow2'],
    ['json:{"driver":"raw","file":{"driver":"qcow2","file":{"driver":"file","filename":"/r/x"}}}', 'qcow2'],
    ['json:{"driver":"qcow2","file":{"driver":"raw","file":{"driver":"file","filename":"/r/x"}}}', 'qcow2'],
  ])('should learn the format from %s', (reference, format) => {
    expect(resolve(reference, 'vm/disk', ['/r'])).toEqual({ kind: 'inside', path: 'x', format });
  });

  it.each([
    '/etc/passwd',
    ROOT,
    `${ROOT}/`,
    `${ROOT}-other/_base/image`,
    `${ROOT}/../elsewhere`,
    '../../../../../../../../etc/passwd',
    '../..',
    'nbd://host/export',
    'nbd+unix:///export?socket=/run/x',
    'rbd:pool/image',
    'https://host/image',
    'host_device:/dev/sda',
    `json:{"driver":"file","filename":"/etc/passwd"}`,
  ])('should know that %j is elsewhere', (reference) => {
    expect(resolve(reference)).toMatchObject({ kind: 'elsewhere', message: expect.stringMatching(/\w/) });
  });

  it.each([
    'file:image',
    'blkdebug::/var/lib/nova/instances/_base/image',
    'fat:/var/lib',
    'a:b',
    `${ROOT}/_base/image\0`,
    'json:',
    'json:{',
    'json:[]',
    'json:null',
    'json:{}',
    "json:{'driver':'file'}",
    'json:{"filename":"relative"}',
    'json:{"filename":"/x","backing":{"filename":"/y"}}',
    'json:{"filename":"/x","backing":{}}',
    'json:{"filename":"/x","offset":512}',
    'json:{"filename":"/x","file":{"filename":"/y"}}',
    'json:{"file.filename":"/x","file":{"filename":"/y"}}',
    'json:{"driver":"nbd","host":"h"}',
    'json:{"driver":"vmdk","file":{"filename":"/x"}}',
    'json:{"driver":5,"filename":"/x"}',
    'json:{"filename":["/x"]}',
    'json:{"filename":"/x\\u0000"}',
    'json:{"filename":"/x\\ud800"}',
    'json:{"__proto__":{"filename":"/x"}}',
    `json:${'{"file":'.repeat(100)}{"filename":"relative"}${'}'.repeat(100)}`,
  ])('should admit that %j may be any file', (reference) => {
    expect(resolve(reference)).toMatchObject({ kind: 'unclear', message: expect.stringMatching(/\w/) });
  });

  it('should accept every path by which headers may name the instances path', () => {
    const roots = ['/var/lib/nova/instances', '/data/nova'];
    expect(resolve('/data/nova/_base/image', 'vm/disk', roots)).toEqual({ kind: 'inside', path: '_base/image' });
    expect(resolve('/', 'vm/disk', ['/'])).toMatchObject({ kind: 'elsewhere' });
    expect(resolve('/_base/image', 'vm/disk', ['/'])).toEqual({ kind: 'inside', path: '_base/image' });
  });

  it('should never let a path inside climb out again', () => {
    assert(
      property(array(constantFrom('..', '.', '', 'a', '_base', ROOT, 'file:', ' '), { maxLength: 12 }), (parts) => {
        const target = resolve(parts.join('/'));
        if (target.kind !== 'inside') return;
        expect(target.path.split('/')).not.toContain('..');
        expect(target.path.startsWith('/')).toBe(false);
      }),
    );
  });

  it('should survive any JSON', () => {
    assert(property(json(), (text) => ['elsewhere', 'unclear'].includes(resolve(`json:${text}`).kind)));
  });
});

describe('displayReference', () => {
  it('should drop the file: prefix and nothing else', () => {
    expect(displayReference('file:/x')).toBe('/x');
    expect(displayReference('nbd://x')).toBe('nbd://x');
    expect(displayReference('/x')).toBe('/x');
  });
});
