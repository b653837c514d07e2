import { assert, json, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayReference, resolveReference } from '../../../src/overlays/backing-reference.ts';

const ROOT = '/var/lib/nova/instances';
const resolve = (reference: string, directory = `${ROOT}/vm`) => resolveReference(reference, directory);

describe('resolveReference', () => {
  it.each([
    [`${ROOT}/_base/image`, `${ROOT}/_base/image`],
    [`${ROOT}//_base/./image`, `${ROOT}//_base/./image`],
    ['/etc/passwd', '/etc/passwd'],
    ['../_base/image', `${ROOT}/vm/../_base/image`],
    ['image', `${ROOT}/vm/image`],
    ['./a:b', `${ROOT}/vm/./a:b`],
    ['sub/a:b', `${ROOT}/vm/sub/a:b`],
    [`file:${ROOT}/_base/image`, `${ROOT}/_base/image`],
    [`${ROOT}/_base/name with spaces\nand lines`, `${ROOT}/_base/name with spaces\nand lines`],
    ['host_device:/dev/sda', '/dev/sda'],
    [`json:{"driver":"file","filename":"/x"}`, '/x'],
    [`json:{"filename":"/x"}`, '/x'],
    [`json:{"file.filename":"/x","file.driver":"file"}`, '/x'],
    [`json:{"file":{"filename":"/x","locking":"off"},"read-only":true}`, '/x'],
    [`json:{"file.filename":"/x","file.cache.direct":true}`, '/x'],
  ])('should find the file of %j, links and dots unresolved', (reference, path) => {
    expect(resolve(reference)).toEqual({ kind: 'file', path });
  });

  it.each([
    ['json:{"driver":"raw","file":{"driver":"file","filename":"/r/x"}}', 'raw'],
    ['json:{"driver":"qcow2","file.filename":"/r/x"}', 'qcow2'],
    ['json:{"driver":"vmdk","file":{"filename":"/r/x"}}', 'vmdk'],
    ['json:{"driver":"raw","file":{"driver":"qcow2","file":{"driver":"file","filename":"/r/x"}}}', 'qcow2'],
    ['json:{"driver":"qcow2","file":{"driver":"raw","file":{"driver":"file","filename":"/r/x"}}}', 'qcow2'],
  ])('should learn the format from %s', (reference, format) => {
    expect(resolve(reference)).toEqual({ kind: 'file', path: '/r/x', format });
  });

  it.each([
    'nbd://host/export',
    'rbd:pool/image',
    'https://host/image',
    'json:{"driver":"nbd","server":{"type":"inet","host":"127.0.0.1","port":"10809"},"export":"export"}',
    'json:{"file.driver":"https","file.url":"https://127.0.0.1/x.img","file.timeout":3600}',
    'json:{"driver":"raw","file":{"driver":"rbd","pool":"vms","image":"x"}}',
  ])('should know that %j is on another machine', (reference) => {
    expect(resolve(reference)).toMatchObject({ kind: 'remote', message: expect.stringContaining('not a local file') });
  });

  it.each([
    ['file:image', ['image']],
    ['blkdebug::/var/lib/nova/instances/_base/image', [':/var/lib/nova/instances/_base/image']],
    ['fat:/var/lib', ['/var/lib']],
    ['a:b', ['b']],
    [`${ROOT}/_base/image\0`, []],
    ['json:', []],
    ['json:{', []],
    ['json:[]', []],
    ['json:null', []],
    ['json:{}', []],
    ["json:{'driver':'file'}", []],
    ['json:{"filename":"relative"}', ['relative']],
    ['json:{"filename":"/x","backing":{"filename":"/y"}}', ['/x', '/y']],
    ['json:{"filename":"/x","backing":{}}', ['/x']],
    ['json:{"filename":"/x","file":{"filename":"/y"}}', ['/x', '/y']],
    ['json:{"file.filename":"/x","file":{"filename":"/y"}}', ['/x', '/y']],
    ...['throttle', 'copy-on-read', 'blkdebug', 'preallocate', 'snapshot-access', 'compress', 'quorum'].map(
      (driver): [string, string[]] => [`json:{"driver":"qcow2","file":{"driver":"${driver}","file":{"filename":"/x"}}}`, ['/x']],
    ),
    ...['qcow2', 'qcow', 'vdi', 'vhdx', 'vpc', 'vmdk'].map((driver): [string, string[]] => [
      `json:{"driver":"qcow2","file":{"driver":"${driver}","file":{"driver":"file","filename":"/x"}}}`,
      ['/x'],
    ]),
    ['json:{"driver":"qcow2","file":{"driver":"raw","offset":65536,"file":{"filename":"/x"}}}', ['/x']],
    ['json:{"driver":"qcow2","file":{"driver":"raw","size":65536,"file":{"filename":"/x"}}}', ['/x']],
    ['json:{"driver":"qcow2","file.driver":"raw","file.offset":"65536","file.file.filename":"/x"}', ['/x']],
    ['json:{"driver":"qcow2","file":{"driver":"raw","file":{"driver":"qcow2","file":{"filename":"/x"}}}}', ['/x']],
    ['json:{"driver":"qcow2","file":{"file":{"filename":"/x"}}}', ['/x']],
    ['json:{"driver":"file","file":{"filename":"/x"}}', ['/x']],
    ['nbd+unix:///export?socket=/run/x', []],
    ['nbd:unix:/run/x', []],
    ['json:{"driver":"raw","file":{"driver":"nbd","server":{"type":"unix","path":"/run/x"}}}', []],
    ['json:{"driver":"raw","file":{"driver":"nbd","path":"/run/x"}}', []],
    ['json:{"driver":5,"filename":"/x"}', ['/x']],
    ['json:{"filename":["/x"]}', []],
    ['json:{"filename":"/x\\u0000"}', ['/x\0']],
    ['json:{"filename":"/x\\ud800"}', ['/x\ud800']],
    ['json:{"__proto__":{"filename":"/x"}}', ['/x']],
    [`json:${'{"file":'.repeat(100)}{"filename":"relative"}${'}'.repeat(100)}`, []],
  ])('should admit that %j may be any file, and keep what it mentions', (reference, mentions) => {
    expect(resolve(reference)).toEqual({ kind: 'unclear', message: expect.stringMatching(/\w/), mentions });
  });

  it('should count the declared format as one more layer', () => {
    const reference = 'json:{"driver":"raw","file":{"driver":"qcow2","file":{"filename":"/x"}}}';
    expect(resolveReference(reference, ROOT, 'raw')).toEqual({ kind: 'file', path: '/x', format: 'qcow2' });
    expect(resolveReference(reference, ROOT, 'qcow2')).toMatchObject({ kind: 'unclear' });
    expect(resolveReference('json:{"driver":"raw","file":{"filename":"/x"}}', ROOT, 'qcow2')).toMatchObject({ format: 'qcow2' });
    expect(resolveReference('json:{"driver":"qcow2","file":{"filename":"/x"}}', ROOT, 'qcow2')).toMatchObject({ format: 'qcow2' });
  });

  it('should survive any JSON', () => {
    assert(property(json(), (text) => ['file', 'remote', 'unclear'].includes(resolve(`json:${text}`).kind)));
  });
});

describe('displayReference', () => {
  it('should drop the file: prefix and nothing else', () => {
    expect(displayReference('file:/x')).toBe('/x');
    expect(displayReference('nbd://x')).toBe('nbd://x');
    expect(displayReference('/x')).toBe('/x');
  });
});
