import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asObject } from '../../../../src/lib/json.ts';
import { KubeApiError } from '../../../../src/kube/errors.ts';
import { ListSizes, readList, type ListLimits } from '../../../../src/kube/client/list-answer.ts';

const LIMITS: ListLimits = { answerBytes: 1e6, objectBytes: 1e5 };

async function read(chunks: Iterable<Buffer>, limits = LIMITS) {
  const items: unknown[] = [];
  const onItem = (item: unknown): unknown => items.push(item);
  const list = await readList(Readable.from(chunks), limits, { sizes: new ListSizes(), onItem });
  return { list, items };
}

/** Cut into pieces of these lengths, again and again. */
function* cut(text: string, lengths: readonly number[]): Generator<Buffer> {
  const bytes = Buffer.from(text);
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const end = start + (lengths[turn % lengths.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

/** What was read, in one value again. */
async function whole(text: string, lengths: readonly number[]): Promise<unknown> {
  const { list, items } = await read(cut(text, lengths));
  const object = asObject(list);
  return items.length === 0 || object === undefined ? list : { ...object, items };
}

/** `JSON.parse` of the whole text, and what became of it in pieces. */
async function compare(drawn: string, lengths: readonly number[]): Promise<void> {
  // Half a surrogate pair has no bytes of its own.
  const text = Buffer.from(drawn).toString();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    await expect(whole(text, lengths), text).rejects.toMatchObject({ reason: 'InvalidResponse' });
    return;
  }
  const result = await whole(text, lengths).catch((error: unknown) => error);
  if (result instanceof KubeApiError) expect([result.message, text.split(/"(?:i|\\u0069)tems"/).length > 2]).toEqual([TWICE, true]);
  else expect(result, text).toEqual(parsed);
}

const TWICE = 'the API server sent a list that gives its items twice';
const LENGTHS = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const VALUE = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
const LIST = fc
  .tuple(fc.array(VALUE), VALUE, VALUE, fc.constantFrom(undefined, 1, '\t'))
  .chain(([items, metadata, more, indent]) =>
    fc
      .constantFrom<unknown>({ metadata, items }, { items, metadata }, { more, items: { items } }, [{ items }], { items, more: { items } })
      .map((list) => JSON.stringify(list, undefined, indent)),
  );
const MARKS = fc.constantFrom('[', ']', '{', '}', ',', ':', '"', '\\', ' ', '1', '"items":', '"items":[1],', 'ö', '\n');

describe('a list that is read item by item', () => {
  it('should be what JSON.parse makes of it, wherever its chunks end', async () => {
    const property = fc.asyncProperty(LIST, LENGTHS, async (text, lengths) => {
      expect(await whole(text, lengths)).toEqual(JSON.parse(Buffer.from(text).toString()));
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it('should be refused exactly where JSON.parse refuses it, or where it has its items twice', async () => {
    const changed = fc.tuple(LIST, fc.nat(), fc.nat(3), MARKS).map(([text, at, length, mark]) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + mark + text.slice(start + length);
    });
    await fc.assert(fc.asyncProperty(changed, LENGTHS, compare), { numRuns: 1000 });
  });

  it.each([
    '{"items":[{"a":"]}[{,\\"\\\\"},[[1],2],"x",null],"metadata":{"resourceVersion":"7"}}',
    '{"metadata":{"items":[1,2]},"items":[{"items":[3]}]}',
    String.raw`{"\u0069tems" : [ 1 , 2 ] }`,
    String.raw`{"x\"items":[1],"items\\":[2],"items":null}`,
    '{"items":null,"items":[1]}',
    '{"items":[ \n ]}',
    '{"a":"items","items":{"items":[1]}}',
    '{"items":[1]} {"items":[2]}',
    '{"items":[1,]}',
    '{"items":[,1]}',
    '{"items":[1}}',
    '{"items":[{"a":1]]}',
    '{"items":[1',
    '{"items":[1][2]}',
    '{"items":"x":[1]}',
    '}{"items":[1]}',
    '["items",[1]]',
    '["a","items":[1]]',
    '\uFEFF{"items":[]}',
    '<html>',
    '7',
  ])('should be no more and no less than it is: %s', async (text) => {
    for (const length of [1, 2, 3, 1000]) await compare(text, [length]);
  });

  it('should be refused with its items twice, of which JSON.parse would keep the last', async () => {
    for (const text of [
      '{"items":[1],"items":[2]}',
      '{"items":[],"items":[]}',
      '{"items":[1],"items":null}',
      String.raw`{"items":[1],"\u0069tems":{}}`,
    ])
      await expect(whole(text, [3]), text).rejects.toMatchObject({ reason: 'InvalidResponse', message: TWICE });
  });

  it('should be nothing where nothing came', async () => {
    expect(await read([])).toEqual({ list: undefined, items: [] });
  });

  it('should hand on each item before the next one has come', async () => {
    const seen: unknown[] = [];
    const before: number[] = [];
    function* chunks(): Generator<Buffer> {
      yield Buffer.from('{"items":[0');
      for (let number = 1; number < 5; number += 1) {
        before.push(seen.length);
        yield Buffer.from(`,${number}`);
      }
      yield Buffer.from(']}');
    }
    const body = Readable.from(chunks(), { highWaterMark: 1 });
    await readList(body, LIMITS, { sizes: new ListSizes(), onItem: (item) => seen.push(item) });
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(before.at(-1)).toBeGreaterThan(1);
  });

  const pod = (namespace: string, size: number) => ({ metadata: { namespace }, spec: 'x'.repeat(size) });
  const pods = JSON.stringify({ items: [pod('small', 100), pod('large', 300), pod('small', 100), pod('large', 300), pod('late', 900)] });

  it('should be refused where it is too long, and name the namespace with most of it', async () => {
    await expect(read(cut(pods, [10]), { answerBytes: 1500, objectBytes: 5000 })).rejects.toMatchObject({
      reason: 'InvalidResponse',
      message:
        'the list is longer than 1500 bytes; 688 bytes of what came are objects of the namespace "large": make them smaller, or remove what is not needed',
    });
  });

  it.each([
    ['an item', pods, /^an object of the list is longer than 500 bytes; 688 bytes of what came are objects of the namespace "large": /],
    ['what is around the items', JSON.stringify({ metadata: 'x'.repeat(600) }), /^an object of the list is longer than 500 bytes$/],
  ])('should be refused where %s is too long, before all of it has come', async (_what, text, message) => {
    let given = 0;
    const counted = function* (): Generator<Buffer> {
      for (const chunk of cut(`${text.slice(0, -3)}${'x'.repeat(1e5)}`, [100])) {
        given += chunk.length;
        yield chunk;
      }
    };
    await expect(read(counted(), { answerBytes: 1e6, objectBytes: 500 })).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
    });
    expect(given).toBeLessThan(1e4);
  });

  it('should count what has no namespace as well', () => {
    const sizes = new ListSizes();
    expect(sizes.advice()).toBe('');
    sizes.add({ metadata: { name: 'node' } }, 5);
    expect(sizes.advice()).toBe('; 5 bytes of what came are objects: make them smaller, or remove what is not needed');
  });

  it('should go on failing with what its taker throws', async () => {
    const onItem = (): void => {
      throw new KubeApiError({ reason: 'InvalidResponse', message: 'no UID' });
    };
    const list = readList(Readable.from([Buffer.from('{"items":[{}]}')]), LIMITS, { sizes: new ListSizes(), onItem });
    await expect(list).rejects.toThrow('no UID');
  });
});
