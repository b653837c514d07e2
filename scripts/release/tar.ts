/** Archives whose bytes follow from what is in them alone: sorted names, one time, no owner, and a gzip header that names no system. */
import { createGzip, gunzipSync, constants } from 'node:zlib';
import { buffer } from 'node:stream/consumers';

export interface ArchiveFile {
  readonly path: string;
  readonly content: Buffer;
  readonly executable?: boolean;
}

const BLOCK = 512;

/** A `.tar.gz` of these files, all of them as old as `epochSeconds`. */
export async function tarGz(files: readonly ArchiveFile[], epochSeconds: number): Promise<Buffer> {
  const sorted = files.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  const blocks = sorted.flatMap((file) => [header(file, epochSeconds), file.content, Buffer.alloc(-file.content.length & (BLOCK - 1))]);
  const gzip = createGzip({ level: constants.Z_BEST_COMPRESSION });
  gzip.end(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
  const zipped = await buffer(gzip);
  zipped[9] = 255; // the operating system: unknown
  return zipped;
}

function header({ path, content, executable = false }: ArchiveFile, epochSeconds: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path}: longer than the 100 bytes that a name in an archive may have`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  block.write(path, 0);
  block.write(executable ? '0000755' : '0000644', 100);
  block.write('0000000', 108);
  block.write('0000000', 116);
  block.write(octal(content.length, 11), 124);
  block.write(octal(epochSeconds, 11), 136);
  block.write('        0', 148); // the checksum as it counts in itself, and the type: a file
  block.write('ustar\u000000', 257);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return block;
}

/** The files of a tar archive, gzipped or not; links and directories are left out. */
export function readTar(archive: Buffer): ReadonlyMap<string, Buffer> {
  const bytes = archive[0] === 0x1f && archive[1] === 0x8b ? gunzipSync(archive) : archive;
  const files = new Map<string, Buffer>();
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const text = (from: number, length: number) => bytes.toString('utf8', at + from, at + from + length).replace(/\0[^]*$/, '');
    const size = Number.parseInt(text(124, 12), 8) || 0;
    const path = [text(345, 155), text(0, 100)].filter((part) => part !== '').join('/');
    if (['0', ''].includes(text(156, 1))) files.set(path, bytes.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + size + (-size & (BLOCK - 1));
  }
  return files;
}
