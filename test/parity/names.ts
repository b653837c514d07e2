import { createHash } from 'node:crypto';
import * as fc from 'fast-check';

/**
 * A file name as its bytes, one character (U+0000 to U+00FF) each: names need not be UTF-8.
 * ASCII names read as they are.
 */
export type ByteName = string;

export function bytesOf(text: string): ByteName {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Lower-case hex, as the oracle's protocol carries names. */
export function hexOf(name: ByteName): string {
  return Buffer.from(name, 'latin1').toString('hex');
}

export function nameOfHex(hex: string): ByteName {
  return Buffer.from(hex, 'hex').toString('latin1');
}

/** The text of a name, or undefined when it is not UTF-8. */
export function textOf(name: ByteName): string | undefined {
  const bytes = Buffer.from(name, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

export function sha1Of(imageId: string): string {
  return createHash('sha1').update(imageId, 'utf8').digest('hex');
}

/** Small pools, so that files, references and overlays meet. The last ones are never referenced on purpose. */
export const IMAGE_IDS: readonly string[] = [
  'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0',
  '155d900f-4e14-4e4c-a73d-069cbf4541e6',
  'aki-00000001',
  'ari-00000001',
  '',
  ' leading and trailing ',
  'ünïcode-☃-😀',
  'docker.io/library/debian@sha256:0123',
  '__proto__',
];
const UNREFERENCED_IDS: readonly string[] = ['gone-1', 'gone-2', 'gone-3'];

/** The empty string is a reference for Nova, and none for Basekeeper. */
export const imageId = (odd: boolean): fc.Arbitrary<string> => fc.constantFrom(...IMAGE_IDS.filter((id) => odd || id !== ''));

const digest = fc.constantFrom(...IMAGE_IDS, ...UNREFERENCED_IDS).map(sha1Of);
const suffix = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('10737418240', '5368709120', '20', '100', '12345678901234567890123') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '10737418240',
      '5368709120',
      '20',
      '10',
      '5',
      '0',
      '00',
      '12345678901234567890123',
      'sm',
      'sm2',
      'sm_20',
      'SM',
      '',
      '12x',
      ' 12',
      '12\n',
      '-12',
      '+12',
      '1_2',
      '٣٣٣',
      '²²',
      'x',
      '.part',
      '12.part',
      'abcdef',
    ),
  },
);

const originalLike = fc.oneof(
  { weight: 6, arbitrary: digest },
  { weight: 1, arbitrary: digest.map((name) => name.toUpperCase()) },
  { weight: 1, arbitrary: digest.map((name) => `${name.slice(0, 39)}g`) },
  { weight: 1, arbitrary: digest.map((name) => name.slice(0, 39)) },
  { weight: 1, arbitrary: digest.map((name) => `${name}0`) },
);
const derived = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(digest, suffix).map(([name, end]) => `${name}_${end}`) },
  { weight: 1, arbitrary: fc.tuple(digest, suffix).map(([name, end]) => `${name.toUpperCase()}_${end}`) },
  { weight: 2, arbitrary: digest.map((name) => `${name}_sm`) },
  {
    weight: 1,
    arbitrary: fc.tuple(digest, fc.constantFrom('.part', '.converted', '.part.part', '~', '-5368709120')).map((parts) => parts.join('')),
  },
);
const swapLike = fc.constantFrom(
  'swap_128',
  'swap_512',
  'swap_1024',
  'swap_0',
  'swap_0512',
  'swap_',
  'swap_abc',
  'swap_12_',
  'swap_٣',
  'swap_²',
  'SWAP_128',
  'swap-128',
  '128_swap',
  'swap_128.part',
);
const ephemeralLike = fc.constantFrom(
  'ephemeral_20_40d1d2c',
  'ephemeral_20_0706d66',
  'ephemeral_4_0706d66',
  'ephemeral_4_310201b',
  'ephemeral_20_default',

  'ephemeral_20_None',
  'ephemeral_0_20_None',
  'ephemeral_20_',
  'ephemeral__40d1d2c',
  'ephemeral_x_40d1d2c',
  'ephemeral_20_40d1d2c_',
  'ephemeral_20_ünïcödé',
  'ephemeral_20_😀😀😀😀😀😀😀',
  'ephemeral_20_😀😀😀a',
  'ephemeral_٣_40d1d2c',
  'ephemeral_20_40D1D2C',
  'Ephemeral_20_40d1d2c',
);
const malformed = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '.hidden',
  ' ',
  '-rf',
  '00000001',
  'a\nb',
  '\u001b[2Jx',
  'lost+found',
  '%s%n',
  'nova-x',

  'é'.repeat(40),
  '😀'.repeat(40),
  '😀'.repeat(20),
  `${'é'.repeat(40)}_123`,
  `${'a'.repeat(39)}\n`,
  `${'a'.repeat(40)}_1\n2`,
  'x'.repeat(255),
  `${'g'.repeat(40)}_123`,
  'g'.repeat(40),
);
const invalidUtf8: fc.Arbitrary<ByteName> = fc.constantFrom(
  `${'a'.repeat(39)}\u00ff`,
  '\u00ff'.repeat(40),
  `${'\u00fe'.repeat(40)}_123`,
  'ephemeral_20_40d1d2\u00ff',
  'swap_12\u00ff',
  '\u00c0\u00af',
);

/** Names as they may turn up in `_base`: Nova's own, near misses, and nonsense; all of them text. */
export const baseFileText: fc.Arbitrary<ByteName> = fc.oneof(
  { weight: 9, arbitrary: originalLike.map(bytesOf) },
  { weight: 8, arbitrary: derived.map(bytesOf) },
  { weight: 3, arbitrary: swapLike.map(bytesOf) },
  { weight: 3, arbitrary: ephemeralLike.map(bytesOf) },
  { weight: 2, arbitrary: malformed.map(bytesOf) },
);

/** The same, and names that are not text. */
export const baseFileName: fc.Arbitrary<ByteName> = fc.oneof(
  { weight: 20, arbitrary: baseFileText },
  { weight: 1, arbitrary: invalidUtf8 },
);
