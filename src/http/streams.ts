import { setImmediate } from 'node:timers/promises';
import type { Streamed } from './answers.ts';

export interface StreamLimits {
  /** Reports that are streamed at once: each walks all files. Default 4. */
  readonly most: number;
  /** A reader that takes fewer than `windowBytes` in this time is cut. Default 10 s. */
  readonly windowMs: number;
  /** Default 64 KiB. */
  readonly windowBytes: number;
  /** A reader that has taken nothing for so long gives way to another that wants its place. Default 1 s. */
  readonly patienceMs: number;
}

const DEFAULT_LIMITS: StreamLimits = { most: 4, windowMs: 10_000, windowBytes: 65_536, patienceMs: 1000 };

export interface Streams {
  /** Undefined while all places are taken by readers that read. */
  open(pieces: () => Iterable<string>): Streamed | undefined;
}

interface Reader {
  readonly cut: AbortController;
  /** When it last took a piece. */
  tookMs: number;
  /** What it took in this window. */
  bytes: number;
}

/** Gives out the places for readers of the report, so that none is held by one that is slow. */
export function createStreams(over: Partial<StreamLimits> = {}): Streams {
  const limits = { ...DEFAULT_LIMITS, ...over };
  const readers = new Set<Reader>();
  return {
    open(pieces) {
      if (readers.size >= limits.most && !cutIdlest(readers, limits.patienceMs)) return undefined;
      const reader: Reader = { cut: new AbortController(), tookMs: performance.now(), bytes: 0 };
      return { pieces: inTurns(pieces, reader, readers, limits), cut: reader.cut.signal };
    },
  };
}

/** False where every reader is reading. */
function cutIdlest(readers: Set<Reader>, patienceMs: number): boolean {
  const [idlest] = [...readers].toSorted((left, right) => left.tookMs - right.tookMs);
  if (idlest === undefined || performance.now() - idlest.tookMs < patienceMs) return false;
  readers.delete(idlest);
  idlest.cut.abort();
  return true;
}

/** A report of a million files must not hold up probes: one piece per turn of the event loop. */
async function* inTurns(
  pieces: () => Iterable<string>,
  reader: Reader,
  readers: Set<Reader>,
  { windowMs, windowBytes }: StreamLimits,
): AsyncIterable<string> {
  readers.add(reader);
  const window = setInterval(() => {
    if (reader.bytes < windowBytes) reader.cut.abort();
    reader.bytes = 0;
  }, windowMs);
  window.unref();
  try {
    for (const piece of pieces()) {
      // An empty one only lets something else happen.
      if (piece !== '') yield piece;
      reader.tookMs = performance.now();
      reader.bytes += piece.length;
      await setImmediate();
    }
  } finally {
    clearInterval(window);
    readers.delete(reader);
  }
}
