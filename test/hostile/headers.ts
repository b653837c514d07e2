import { posix } from 'node:path';
import { contextOf } from '../helpers/chain-context.ts';
import { followChain, MAX_CHAIN_LEVELS } from '../../src/overlays/chain.ts';
import type { ImageHeader, Inspection } from '../../src/images/header.ts';
import { parseImageHeader } from '../../src/images/formats/formats.ts';
import { HEAD_BYTES, MAX_READ_BYTES } from '../../src/images/formats/format.ts';
import { MAX_NAME_BYTES } from '../../src/images/formats/qcow2-header.ts';
import { qcow2Header } from '../helpers/qcow2-image.ts';
import { Random } from './random.ts';

const ROOT = '/var/lib/nova/instances';
/** What a header may name to make us look where we must not. */
const NAMES: readonly string[] = [
  '/etc/shadow',
  '../../../../etc/shadow',
  `${ROOT}/../../../../etc/shadow`,
  `${ROOT}/_base/../../../../../etc/shadow`,
  `${ROOT}/_base/0d5e6b61602d758984b3bf038267614d6016eb2a`,
  `${ROOT}//_base/./x`,
  `${ROOT}/vm/disk`,
  ROOT,
  `${ROOT}/`,
  '/',
  '.',
  '..',
  'disk',
  'file:/etc/shadow',
  `file:${ROOT}/../../etc/shadow`,
  `file:${ROOT}/_base/x`,
  'file:relative',
  'nbd://127.0.0.1:10809/x',
  'nbd+unix:///x?socket=/run/docker.sock',
  'https://169.254.169.254/latest/meta-data',
  'fat:/etc',
  'blkdebug::/etc/shadow',
  'json:{}',
  'json:',
  'json:{"driver":"file","filename":"/etc/shadow"}',
  `json:{"driver":"qcow2","file":{"driver":"file","filename":"${ROOT}/_base/x"}}`,
  'json:{"__proto__":{"filename":"/etc/shadow"},"driver":"raw"}',
  `json:${'{"file":'.repeat(120)}1${'}'.repeat(120)}`,
  'json:{"driver":"quorum","children":[{"file.filename":"/etc/shadow"}]}',
  'a'.repeat(MAX_NAME_BYTES),
  `${'../'.repeat(300)}etc/shadow`,
  `x\0/etc/shadow`,
  '\u001b[2J\n\r',
  '\ud800',
];
const EXTREMES: readonly number[] = [
  0, 1, 2, 3, 4, 9, 16, 21, 22, 71, 72, 103, 104, 105, 1023, 1024, 4095, 4096, 65_535, 65_536, 0x7fffffff, 0x80000000, 0xffffffff,
];
/** Where the fields of a header begin, and where its first extensions do. */
const FIELDS: readonly number[] = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 72, 76, 96, 100, 104, 108, 112, 120, 128];

export interface HeaderFuzzResult {
  readonly headers: number;
  /** By what came of them. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Chains that were followed over more than one file. */
  readonly chains: number;
  /** Growth of the resident set over the second half of the run, in bytes: what a leak would show in. */
  readonly grownBytes: number;
}

/**
 * Feeds mutilated qcow2 headers to the parser and follows the chains that they claim. Throws for whatever must not happen:
 * any exception, a read longer than a name, a lookup outside the tree, a chain without end.
 */
export function fuzzHeaders(options: { readonly headers: number; readonly seed: number }): HeaderFuzzResult {
  const random = new Random(options.seed);
  const templates = NAMES.flatMap((name) => [2, 3].map((version) => qcow2Header({ version, backingFile: name }).subarray(0, HEAD_BYTES)));
  templates.push(
    qcow2Header({ backingFile: 'disk', dataFile: '/etc/shadow', backingFormat: 'qcow2', incompatibleFeatures: 4n }).subarray(0, HEAD_BYTES),
  );
  const kinds: Record<string, number> = {};
  let [chains, halfwayBytes] = [0, 0];
  for (let index = 0; index < options.headers; index++) {
    const head = mutilated(random, templates);
    const header = parse(head, random);
    const chain = follow(header, random, templates);
    if (chain > 1) chains++;
    kinds[header.kind] = (kinds[header.kind] ?? 0) + 1;
    if (index === options.headers >> 1) halfwayBytes = process.memoryUsage.rss();
  }
  return { headers: options.headers, kinds, chains, grownBytes: process.memoryUsage.rss() - halfwayBytes };
}

function mutilated(random: Random, templates: readonly Buffer[]): Buffer {
  const head = Buffer.from(random.pick(templates));
  for (let count = random.below(5); count > 0; count--) {
    const at = random.below(4) === 0 ? random.below(head.length - 4) : random.pick(FIELDS);
    const way = random.below(4);
    if (way === 0) head.writeUInt32BE(random.pick(EXTREMES), at);
    else if (way === 1) head.writeUInt32BE(random.uint32(), at);
    else if (way === 2) head.writeUInt8(random.below(256), at);
    else head.write(random.pick(NAMES), at);
  }
  return random.below(8) === 0 ? head.subarray(0, random.below(head.length)) : head;
}

function parse(head: Buffer, random: Random): ImageHeader {
  return parseImageHeader(head, (offset, length) => {
    if (length > MAX_READ_BYTES || offset < 0 || !Number.isSafeInteger(offset)) throw new Error(`a read of ${length} bytes at ${offset}`);
    return Buffer.alloc(random.below(length + 1), '/');
  });
}

/** Returns how many files were asked for. */
function follow(header: ImageHeader, random: Random, templates: readonly Buffer[]): number {
  let asked = 0;
  const inspect = (path: string): Inspection => {
    asked++;
    // A VMDK descriptor names as many extents as it has room for.
    if (asked > 4000 * (MAX_CHAIN_LEVELS + 1)) throw new Error('a chain without end');
    const isInside =
      path !== '' && !path.startsWith('/') && !path.includes('\0') && posix.normalize(path) === path && !/^\.\.(?:\/|$)/.test(path);
    if (!isInside) throw new Error(`a look outside the tree: ${JSON.stringify(path)}`);
    const way = random.below(4);
    if (way === 0) return { kind: 'absent' };
    return way === 1 ? { kind: 'raw' } : parse(mutilated(random, templates), random);
  };
  const { links, state } = followChain('vm/disk', header, contextOf({ root: ROOT, inspect }));
  for (const { reference } of links) if (reference.length > MAX_READ_BYTES) throw new Error('a name longer than any that is read');
  if (state === 'ok' && links.some(({ path, exists }) => path === undefined || !exists))
    throw new Error('a chain is called complete that is not');
  return asked;
}
