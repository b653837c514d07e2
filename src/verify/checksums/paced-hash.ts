import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '../../model/ports.ts';
import { pauseAfterMs, type ChecksumIdentity } from './record.ts';
import type { OpenDirectory } from '../../disk/held-directory.ts';
import { hasErrno } from '../../lib/errors.ts';

const readInto = promisify(read);
/** Hashing this much keeps the event loop for 1 to 2 ms. */
const CHUNK_BYTES = 2 ** 20;

export interface PacedHashParts {
  readonly clock: Clock;
  readonly bytesPerSecond: number;
  /** Resolves early, without an error, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Called for each chunk. */
  readonly onRead: (bytes: number) => void;
}

export interface FileHash extends ChecksumIdentity {
  readonly sha256: string;
  /** Whether nobody seems to have written to it meanwhile; touching it is not writing. */
  readonly still: boolean;
}

interface FileState extends ChecksumIdentity {
  readonly modifiedAtNs: bigint;
  readonly accessedAtNs: bigint;
}

/**
 * The SHA-256 of a file that was found regular, read chunk by chunk at the rate. Undefined when the signal aborted, or the file is gone,
 * became another or was cut meanwhile. Throws an errno error.
 */
export async function hashPaced(base: OpenDirectory, name: string, parts: PacedHashParts): Promise<FileHash | undefined> {
  if (base.entries.stat(name)?.regular !== true) return undefined;
  const fd = base.at(name, openQuietly);
  try {
    const before = stateOf(fd);
    if (before === undefined) return undefined;
    const sha256 = await hashOf(fd, before.sizeBytes, parts);
    const after = stateOf(fd);
    if (sha256 === undefined || after === undefined || after.sizeBytes !== before.sizeBytes) return undefined;
    if (base.entries.stat(name)?.inode !== before.inode) return undefined;
    return { inode: before.inode, sizeBytes: before.sizeBytes, sha256, still: isStill(before, after) };
  } finally {
    closeSync(fd);
  }
}

async function hashOf(fd: number, sizeBytes: number, parts: PacedHashParts): Promise<string | undefined> {
  const { clock, bytesPerSecond, sleep, signal, onRead } = parts;
  const hash = createHash('sha256');
  // Small rates in small steps: no second sees more than its share.
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytesPerSecond));
  for (let position = 0; position < sizeBytes;) {
    if (signal.aborted) return undefined;
    const startedMs = clock.now().monotonicMs;
    const { bytesRead } = await readInto(fd, buffer, 0, Math.min(buffer.length, sizeBytes - position), position);
    if (bytesRead === 0) return undefined;
    const tookMs = clock.now().monotonicMs - startedMs;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
    onRead(bytesRead);
    await sleep(pauseAfterMs({ bytes: bytesRead, tookMs }, bytesPerSecond), signal);
  }
  return signal.aborted ? undefined : hash.digest('hex');
}

/** Reading must not count as access; only the owner or CAP_FOWNER may ask for that. */
function openQuietly(path: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOATIME } = constants;
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
  } catch (error) {
    if (!hasErrno(error, 'EPERM')) throw error;
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }
}

function stateOf(fd: number): FileState | undefined {
  const stats = fstatSync(fd, { bigint: true });
  if (!stats.isFile()) return undefined;
  return { inode: stats.ino.toString(), sizeBytes: Number(stats.size), modifiedAtNs: stats.mtimeNs, accessedAtNs: stats.atimeNs };
}

/** Who touches a file, we or Nova (`os.utime`), sets both its times to the same; who writes sets only the one. */
function isStill(before: FileState, after: FileState): boolean {
  return after.modifiedAtNs === before.modifiedAtNs || after.modifiedAtNs === after.accessedAtNs;
}
