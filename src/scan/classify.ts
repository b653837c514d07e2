import type { BaseFileKind } from '../model/scan.ts';

import type { Naming } from '../model/policy.ts';

/** Length of a hex SHA-1, in characters. */
const DIGEST_LENGTH = 40;

const STRICT_DIGEST_NAME = /^[0-9a-f]{40}(?:_(?:sm|[0-9]+))?$/;
const STRICT_SWAP = /^swap_[0-9]+$/;
/** Nova writes seven hex digits of an MD5, but reads any seven characters, such as the `default` of old releases. */
const STRICT_EPHEMERAL = /^ephemeral_[0-9]+_[0-9a-f]{7}$/;

/** What Python's `str.isdigit` accepts: decimal digits and the other characters of Numeric_Type=Digit (superscripts, circled …). */
const PYTHON_DIGITS =
  /^[\p{Nd}\u{b2}-\u{b3}\u{b9}\u{1369}-\u{1371}\u{19da}\u{2070}\u{2074}-\u{2079}\u{2080}-\u{2089}\u{2460}-\u{2468}\u{2474}-\u{247c}\u{2488}-\u{2490}\u{24ea}\u{24f5}-\u{24fd}\u{24ff}\u{2776}-\u{277e}\u{2780}-\u{2788}\u{278a}-\u{2792}\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]+$/u;

const PARTIAL_DOWNLOAD = /^([0-9a-f]{40})\.(?:part|converted)$/;

/**
 * What a file name in `_base` stands for. `nova` decides exactly as Nova's `_scan_base_images`; `strict` takes lower-case hex
 * digests and hashes only, but sees short resized names (`<sha1>_5`), which Nova overlooks.
 */
export function classify(name: string, naming: Naming): BaseFileKind {
  return naming === 'strict' ? classifyStrictly(name) : classifyAsNova(name);
}

/** The digest of the image whose download `<sha1>.part` or `<sha1>.converted` is, or undefined (Nova's `fetch_to_raw`). */
export function partialDownloadDigest(name: string): string | undefined {
  return PARTIAL_DOWNLOAD.exec(name)?.[1];
}

function classifyStrictly(name: string): BaseFileKind {
  if (STRICT_DIGEST_NAME.test(name)) {
    if (name.length === DIGEST_LENGTH) return 'original';
    return name.endsWith('_sm') ? 'legacy' : 'resized';
  }
  if (STRICT_SWAP.test(name)) return 'swap';
  return STRICT_EPHEMERAL.test(name) ? 'ephemeral' : 'foreign';
}

/** Python counts code points, so a name beyond the Basic Multilingual Plane is shorter than its UTF-16 length. */
function classifyAsNova(name: string): BaseFileKind {
  const characters = /[\u{10000}-\u{10ffff}]/u.test(name) ? Array.from(name) : name;
  if (characters.length === DIGEST_LENGTH) return 'original';
  if (characters.length > DIGEST_LENGTH + 2 && characters[DIGEST_LENGTH] === '_') {
    // Whatever the suffix is, Nova gives the file the minimum age of resized images.
    return characters.length === DIGEST_LENGTH + 3 && name.endsWith('_sm') ? 'legacy' : 'resized';
  }
  return classifyParts(name.split('_'));
}

/** Nova's `_store_swap_image` and `_store_ephemeral_image`. */
function classifyParts(parts: readonly string[]): BaseFileKind {
  const [prefix, size, hash] = parts;
  if (size === undefined || !PYTHON_DIGITS.test(size)) return 'foreign';
  if (parts.length === 2 && prefix === 'swap') return 'swap';
  if (parts.length === 3 && prefix === 'ephemeral' && Array.from(hash ?? '').length === 7) return 'ephemeral';
  return 'foreign';
}
