import { describe, expect, it } from 'vitest';
import { chain } from '../../../src/ledger/line.ts';
import { readTail } from '../../../src/ledger/tail.ts';
import { NO_RECORD_BEFORE, type LedgerEnd } from '../../../src/model/ledger/records.ts';
import { ledgerEntries } from '../../helpers/ledger-entries.ts';

const AT = '2026-11-29T12:00:00.000Z';
const BEFORE: LedgerEnd = { seq: 0, hash: NO_RECORD_BEFORE };
const BLANKS = '\n'.repeat(100);
const { lines, ends } = chain(BEFORE, AT, ledgerEntries);
const whole = lines.map((line) => `${line}\n`).join('');

const tailOf = (text: string, settled?: number, before = BEFORE) => readTail(Buffer.from(text, 'latin1'), before, settled);

describe('the end of a segment', () => {
  it('should be behind its last record, before the blank lines', () => {
    const tail = tailOf(whole + BLANKS);
    expect(tail).toEqual({ last: ends.at(-1), lastType: 'recovered', firstAt: AT, end: whole.length, tornBytes: 0 });
  });

  it('should be its beginning where nothing is recorded in it, and the chain goes on from the segment before', () => {
    const before = { seq: 12, hash: 'b'.repeat(64) };
    expect(tailOf(BLANKS, 12, before)).toMatchObject({ last: before, end: 0, tornBytes: 0, firstAt: undefined });
  });

  it('should leave out a last record that is not whole, at whatever byte it was torn', () => {
    const last = lines.at(-1) ?? '';
    const rest = whole.slice(0, -last.length - 1);
    for (let length = 1; length < last.length; length += 7) {
      const tail = tailOf(rest + last.slice(0, length) + BLANKS, 3);
      expect(tail).toMatchObject({ last: ends.at(-2), end: rest.length, tornBytes: length });
    }
  });

  it('should leave out what stands behind blanks that a crash left of a batch', () => {
    const [one = '', two = ''] = lines.slice(-2);
    const rest = whole.slice(0, -one.length - two.length - 2);
    const torn = '\n'.repeat(one.length + 1) + two;
    expect(tailOf(rest + torn + BLANKS, 6)).toMatchObject({ last: ends.at(-3), end: rest.length, tornBytes: torn.length });
  });

  it('should never leave out a line that was there when a pass ended, whatever somebody made of it', () => {
    const changed = whole.replace('"node-1"', '"node-2"');
    expect(tailOf(changed + BLANKS, 8)).toMatchObject({ last: ends.at(-1), end: changed.length, tornBytes: 0 });
    const broken = whole.replace('"type":"pass"', '"type"!"pass"');
    expect(tailOf(broken + BLANKS, 8)).toMatchObject({ last: { seq: 8 }, end: broken.length, tornBytes: 0 });
  });

  it('should not leave out what several writes have written, though no pass has said so', () => {
    const { lines: later } = chain(ends.at(-1) ?? BEFORE, '2026-11-29T12:00:01.000Z', ledgerEntries);
    const broken = `${whole}${later.join('\n')}\n`.replace('"type":"evidence"', '"type"!"evidence"');
    expect(tailOf(broken + BLANKS, 1)).toMatchObject({ last: { seq: 16 }, end: broken.length, tornBytes: 0 });
    const blanked = `${lines[0]}\n${'\n'.repeat(400)}${lines.slice(4).join('\n')}\n`;
    expect(tailOf(blanked + BLANKS, 8)).toMatchObject({ last: ends.at(-1), tornBytes: 0 });
  });

  it('should not take changed lines for torn ones where no head is known', () => {
    const broken = whole.replace('"type":"pass"', '"type"!"pass"');
    expect(tailOf(broken + BLANKS)).toMatchObject({ last: { seq: 8 }, tornBytes: 0 });
    expect(tailOf(`${whole}{"seq":9,`)).toMatchObject({ last: ends.at(-1), tornBytes: 9 });
  });
});
