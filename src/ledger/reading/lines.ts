import { readSync } from 'node:fs';
import type { Sliced } from '../../lib/slices.ts';
import type { LineSink } from './files.ts';

/** Some hundred microseconds of work. */
const CHUNK_BYTES = 256 * 1024;
/** No record of ours is as long. */
export const MAX_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Hands each line of an open file to `sink`, from its beginning. However long a line is, little of it is held. Throws an errno error. */
export function* readLines(fd: number, sink: LineSink): Sliced<undefined> {
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let held = 0;
  let position = 0;
  let skipping = false;
  for (;;) {
    if (held === buffer.length) {
      if (held > MAX_LINE_BYTES) {
        skipping = true;
        held = 0;
      } else buffer = Buffer.concat([buffer], buffer.length * 2);
    }
    const read = readSync(fd, buffer, held, buffer.length - held, position);
    if (read === 0) break;
    position += read;
    const end = held + read;
    let start = 0;
    for (let newline = find(buffer, held, end); newline >= 0; newline = find(buffer, start, end)) {
      if (skipping || newline - start > MAX_LINE_BYTES) sink.longLine();
      else sink.line(buffer, start, newline);
      skipping = false;
      start = newline + 1;
    }
    buffer.copy(buffer, 0, start, end);
    held = end - start;
    yield;
  }
  if (skipping || held > 0) sink.rest(buffer, 0, skipping ? 0 : held);
  return undefined;
}

/** Where the next newline between these is; -1 where there is none. */
function find(buffer: Buffer, start: number, end: number): number {
  const found = buffer.indexOf(NEWLINE, start);
  return found < end ? found : -1;
}
