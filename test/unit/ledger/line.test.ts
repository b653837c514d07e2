import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chain, formatLine, hashLine, linkOf, parseLine } from '../../../src/ledger/line.ts';
import { NO_RECORD_BEFORE, segmentName, segmentNumber, type LedgerEntry } from '../../../src/model/ledger/records.ts';
import { ledgerEntries } from '../../helpers/ledger-entries.ts';

const AT = '2026-11-29T12:00:00.000Z';

describe('a line of the ledger', () => {
  it('should begin with its number, the hash of the line before, the time and its kind', () => {
    const line = formatLine({ seq: 7, prev: 'a'.repeat(64), at: AT }, { type: 'end', pass: 1, outcomes: { removed: 2 } });
    expect(line).toBe(`{"seq":7,"prev":"${'a'.repeat(64)}","at":"${AT}","type":"end","pass":1,"outcomes":{"removed":2}}`);
  });

  it('should be linked to the one before by the SHA-256 of its bytes', () => {
    const { lines, ends } = chain({ seq: 0, hash: NO_RECORD_BEFORE }, AT, ledgerEntries);
    expect(ends.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
    for (const [index, line] of lines.entries()) {
      const before = lines[index - 1];
      const hash = before === undefined ? NO_RECORD_BEFORE : createHash('sha256').update(before).digest('hex');
      expect(linkOf(line)).toEqual({ seq: index + 1, prev: hash, at: AT, type: ledgerEntries[index]?.type });
      expect(ends[index]?.hash).toBe(hashLine(line));
    }
  });

  it('should be read as it was written, each kind', () => {
    const { lines, ends } = chain({ seq: 0, hash: NO_RECORD_BEFORE }, AT, ledgerEntries);
    const read = lines.map((line) => parseLine(line));
    expect(read).toEqual(
      ledgerEntries.map((entry, index) => ({ ...entry, seq: index + 1, prev: ends[index - 1]?.hash ?? NO_RECORD_BEFORE, at: AT })),
    );
  });

  it('should be one line, whatever a name has in it', () => {
    const intent = ledgerEntries.find(({ type }) => type === 'intent') as LedgerEntry;
    const line = formatLine({ seq: 1, prev: NO_RECORD_BEFORE, at: AT }, { ...intent, name: 'a\nb\u0000"\\\u2028\u001b[2J' } as LedgerEntry);
    expect(line.split('\n')).toHaveLength(1);
    expect(parseLine(line)).toMatchObject({ name: 'a\nb\u0000"\\\u2028\u001b[2J' });
  });

  it.each([
    '',
    '{}',
    'null',
    '{"seq":1',
    `{"seq":0,"prev":"${NO_RECORD_BEFORE}","at":"${AT}","type":"end","pass":1,"outcomes":{}}`,
    `{"seq":1,"prev":"12","at":"${AT}","type":"end","pass":1,"outcomes":{}}`,
    `{"seq":1,"prev":"${NO_RECORD_BEFORE}","at":"when it was over, they say","type":"end","pass":1,"outcomes":{}}`,
    `{"seq":1,"prev":"${NO_RECORD_BEFORE}","at":"${AT}","type":"end","outcomes":{}}`,
    `{"seq":1,"prev":"${NO_RECORD_BEFORE}","at":"${AT}","type":"rumour"}`,
  ])('should not be made of %s', (line) => {
    expect(parseLine(line)).toBeUndefined();
  });

  it('should keep what a later version adds', () => {
    expect(
      parseLine(formatLine({ seq: 1, prev: NO_RECORD_BEFORE, at: AT }, { type: 'end', pass: 1, outcomes: {}, more: 1 } as LedgerEntry)),
    ).toMatchObject({
      more: 1,
    });
  });
});

describe('the name of a segment', () => {
  it.each([
    [1, 'ledger-000001.jsonl'],
    [999_999, 'ledger-999999.jsonl'],
    [1_000_000, 'ledger-1000000.jsonl'],
  ])('should be that of %i', (number, name) => {
    expect([segmentName(number), segmentNumber(name)]).toEqual([name, number]);
  });

  it.each(['ledger-1.jsonl', 'ledger-000000.jsonl', 'ledger-0000001.jsonl', 'ledger-000001.jsonl~', 'head.json', 'lock'])(
    'should not be %s',
    (name) => {
      expect(segmentNumber(name)).toBeUndefined();
    },
  );
});
