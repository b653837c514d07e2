import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { writeResult } from '../../../src/cli/io.ts';

function failing(code: string, afterPieces: number) {
  let written = 0;
  return new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      written += 1;
      done(written > afterPieces ? Object.assign(new Error(`write ${code}`), { code }) : null);
    },
  });
}

describe('writing a result', () => {
  it('should wait for a slow reader, so that a long result is never held in memory', async () => {
    let taken = 0;
    let made = 0;
    let furthest = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        taken += 1;
        furthest = Math.max(furthest, made - taken);
        setImmediate(done);
      },
    });
    function* pieces() {
      for (; made < 500; made += 1) yield 'x'.repeat(100);
    }
    await writeResult(slow, pieces());
    expect(taken).toBe(500);
    expect(furthest).toBeLessThan(50);
    expect(slow.writableEnded).toBe(false);
  });

  it('should stop quietly when the reader has seen enough', async () => {
    let made = 0;
    function* pieces() {
      for (; made < 100_000; made += 1) yield 'line\n';
    }
    const head = failing('EPIPE', 3);
    head.on('error', () => {});
    await writeResult(head, pieces());
    expect(made).toBeLessThan(1000);
    await writeResult(head, ['more']);
  });

  it('should not hide a full disk', async () => {
    const full = failing('ENOSPC', 0);
    full.on('error', () => {});
    await expect(writeResult(full, ['a'])).rejects.toThrow('ENOSPC');
  });
});
