import { assert, property, uint8Array, integer, record, bigInt, constantFrom, option } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEAD_BYTES } from '../../../../src/images/formats/format.ts';
import { MAX_NAME_BYTES, parseQcow2Header } from '../../../../src/images/formats/qcow2-header.ts';
import { qcow2Header, type Qcow2Spec } from '../../../helpers/qcow2-image.ts';

/** Parses as the reader does: the first bytes at once, more when asked for. */
function parse(file: Buffer) {
  return parseQcow2Header(file.subarray(0, HEAD_BYTES), (offset, length) => file.subarray(offset, offset + length));
}

/** A header with some bytes written over. */
function patched(spec: Qcow2Spec, patch: (bytes: Buffer) => void): Buffer {
  const bytes = qcow2Header(spec);
  patch(bytes);
  return bytes;
}

const BACKED: Qcow2Spec = { backingFile: '/base/image', backingFormat: 'raw' };

describe('parseQcow2Header', () => {
  it.each([2, 3])('should read backing file, format and size of version %i', (version) => {
    expect(parse(qcow2Header({ ...BACKED, version, virtualSizeBytes: 5 * 2 ** 30 }))).toEqual({
      kind: 'qcow2',
      version,
      virtualSizeBytes: 5 * 2 ** 30,
      clusterSizeBytes: 65_536,
      backingFile: { text: '/base/image', valid: true },
      backingFormat: 'raw',
      dataFile: undefined,
      features: [],
      unknownFeatures: 0n,
    });
  });

  it('should see an image without backing file', () => {
    expect(parse(qcow2Header())).toMatchObject({ backingFile: undefined, backingFormat: undefined });
  });

  it('should take an empty backing file name for none', () => {
    expect(parse(qcow2Header({ backingFile: '', backingOffset: 200 }))).toMatchObject({ backingFile: undefined });
  });

  it('should name the features that it knows and give the bits of the others', () => {
    const incompatibleFeatures = 0b1_1111n | (1n << 5n) | (1n << 63n);
    expect(parse(qcow2Header({ incompatibleFeatures, dataFile: 'data.raw' }))).toMatchObject({
      features: ['dirty', 'corrupt', 'externalDataFile', 'compressionType', 'extendedL2'],
      unknownFeatures: (1n << 5n) | (1n << 63n),
      dataFile: { text: 'data.raw', valid: true },
    });
  });

  it('should not take bytes of a version 2 header for features', () => {
    expect(parse(qcow2Header({ version: 2, backingFile: 'x'.repeat(300) }))).toMatchObject({ features: [], unknownFeatures: 0n });
  });

  it.each([HEAD_BYTES - 5, HEAD_BYTES, 60_000])('should fetch a backing file name at offset %i', (backingOffset) => {
    const file = qcow2Header({ backingFile: '/base/image', backingOffset });
    const reads: [number, number][] = [];
    const header = parseQcow2Header(file.subarray(0, HEAD_BYTES), (offset, length) => {
      reads.push([offset, length]);
      return file.subarray(offset, offset + length);
    });
    expect(header).toMatchObject({ backingFile: { text: '/base/image' } });
    expect(reads).toEqual([[backingOffset, 11]]);
  });

  it('should ask for nothing more when the name lies within the first bytes', () => {
    const head = qcow2Header(BACKED).subarray(0, HEAD_BYTES);
    const refuse = (): Buffer => {
      throw new Error('no second read is needed');
    };
    expect(parseQcow2Header(head, refuse)).toMatchObject({ backingFile: { text: '/base/image' } });
  });

  it('should end a name at its first NUL, as QEMU does', () => {
    expect(parse(qcow2Header({ backingFile: 'image\0hidden' }))).toMatchObject({ backingFile: { text: 'image' } });
  });

  it('should mark a name that is not UTF-8', () => {
    const header = parse(qcow2Header({ backingFile: Buffer.from('/b\xe4se', 'latin1') }));
    expect(header).toMatchObject({ backingFile: { text: '/b\ufffdse', valid: false } });
  });

  it('should accept the longest name that QEMU accepts, and no longer one', () => {
    expect(parse(qcow2Header({ backingFile: 'x'.repeat(MAX_NAME_BYTES) }))).toMatchObject({ kind: 'qcow2' });
    expect(parse(qcow2Header({ backingFile: 'x'.repeat(MAX_NAME_BYTES + 1) }))).toMatchObject({ kind: 'invalid' });
  });

  it('should skip extensions that it does not know', () => {
    const file = patched({ ...BACKED, dataFile: 'feature names' }, (bytes) => bytes.writeUInt32BE(0x6803f857, 120));
    expect(parse(file)).toMatchObject({ backingFormat: 'raw', dataFile: undefined, backingFile: { text: '/base/image' } });
  });

  it.each<[string, Buffer]>([
    ['nothing but the magic', Buffer.from('QFI\xfb', 'latin1')],
    ['71 bytes', qcow2Header().subarray(0, 71)],
    ['103 bytes of version 3', qcow2Header().subarray(0, 103)],
    ['version 4', qcow2Header({ version: 4 })],
    ['clusters of 256 bytes', patched({}, (bytes) => bytes.writeUInt32BE(8, 20))],
    ['clusters of 4 MiB', patched({}, (bytes) => bytes.writeUInt32BE(22, 20))],
    ['a header length of 96', patched({}, (bytes) => bytes.writeUInt32BE(96, 100))],
    ['a header longer than a cluster', patched({}, (bytes) => bytes.writeUInt32BE(65_537, 100))],
    ['a name within the header', patched(BACKED, (bytes) => bytes.writeBigUInt64BE(8n, 8))],
    ['a name beyond the first cluster', patched(BACKED, (bytes) => bytes.writeBigUInt64BE(65_537n, 8))],
    ['a name at 2^64 - 1', patched(BACKED, (bytes) => bytes.writeBigUInt64BE(2n ** 64n - 1n, 8))],
    ['a name of 4 GiB', patched(BACKED, (bytes) => bytes.writeUInt32BE(0xffff_ffff, 16))],
    ['a name that leaves its cluster', qcow2Header({ backingFile: 'name', backingOffset: 65_530, backingBytes: 20 })],
    ['a name after the end of the file', qcow2Header({ backingFile: 'name', backingOffset: 5000 }).subarray(0, 5002)],
    ['an extension of 4 GiB', patched(BACKED, (bytes) => bytes.writeUInt32BE(0xffff_ffff, 108))],
    ['a format of 16 characters', qcow2Header({ ...BACKED, backingFormat: 'f'.repeat(16) })],
  ])('should call a file with %s invalid, and say why', (_, file) => {
    expect(parse(file)).toEqual({ kind: 'invalid', message: expect.stringMatching(/\w/) });
  });

  it('should survive any bytes after the magic, and read no more than a name', () => {
    assert(
      property(uint8Array({ maxLength: 2 * HEAD_BYTES }), (bytes) => {
        const file = Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), bytes]);
        let reads = 0;
        const header = parseQcow2Header(file.subarray(0, HEAD_BYTES), (offset, length) => {
          reads += 1;
          expect(length).toBeLessThanOrEqual(MAX_NAME_BYTES);
          return file.subarray(offset, offset + length);
        });
        expect(['qcow2', 'invalid']).toContain(header.kind);
        expect(reads).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('should survive hostile fields in an otherwise sound header', () => {
    const field = constantFrom(8, 16, 20, 24, 72, 100, 104, 108, 112, 116, 120, 124);
    assert(
      property(field, integer({ min: 0, max: 0xffff_ffff }), integer({ min: 0, max: 5000 }), (offset, value, length) => {
        const file = patched(BACKED, (bytes) => bytes.writeUInt32BE(value, offset)).subarray(0, length);
        const header = parse(file);
        if (header.kind === 'qcow2') expect(header.backingFile?.text.length ?? 0).toBeLessThanOrEqual(MAX_NAME_BYTES);
        else expect(header.kind).toBe('invalid');
      }),
      { numRuns: 1000 },
    );
  });

  it('should read back whatever was written', () => {
    const spec = record({
      name: integer({ min: 1, max: MAX_NAME_BYTES }).map((length) => '/basis-ä€'.repeat(120).slice(0, length)),
      format: option(constantFrom('raw', 'qcow2', 'vmdk'), { nil: undefined }),
      version: constantFrom(2, 3),
      features: bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    });
    assert(
      property(spec, ({ name, format, version, features }) => {
        const backingFile = Buffer.from(name)
          .subarray(0, MAX_NAME_BYTES)
          .toString('utf8')
          .replace(/\ufffd$/, '');
        const header = parse(
          qcow2Header({ backingFile, version, incompatibleFeatures: features, ...(format !== undefined && { backingFormat: format }) }),
        );
        expect(header).toMatchObject({ backingFile: { text: backingFile, valid: true }, backingFormat: format });
        expect(header).toMatchObject({ unknownFeatures: version === 2 ? 0n : (features >> 5n) << 5n });
      }),
    );
  });
});
