import type { Readable } from 'node:stream';
import { asText, at, field } from '../../lib/json.ts';
import { KubeApiError } from '../errors.ts';
import { parseJson, tooLarge } from './body.ts';
import { ItemCutter } from './item-cutter.ts';

export interface ListLimits {
  readonly answerBytes: number;
  readonly objectBytes: number;
}

/** How much of a list has come, and of which namespace. */
export class ListSizes {
  readonly #bytes = new Map<string, number>();

  add(object: unknown, bytes: number): void {
    const namespace = asText(at(object, 'metadata', 'namespace')) ?? '';
    this.#bytes.set(namespace, (this.#bytes.get(namespace) ?? 0) + bytes);
  }

  /** For a message about a list that is too long; empty before its first item. */
  advice(): string {
    const [most] = [...this.#bytes].toSorted(([, a], [, b]) => b - a);
    if (most === undefined) return '';
    const [namespace, bytes] = most;
    const where = namespace === '' ? '' : ` of the namespace ${JSON.stringify(namespace)}`;
    return `; ${bytes} bytes of what came are objects${where}: make them smaller, or remove what is not needed`;
  }
}

/** Hands on each object of a list as soon as it has come, so that one object is held at a time. Resolves with the list without them. */
export async function readList(
  body: Readable,
  limits: ListLimits,
  { sizes, onItem }: { readonly sizes: ListSizes; readonly onItem: (object: unknown) => void },
): Promise<unknown> {
  const cutter = new ItemCutter({
    limitBytes: limits.objectBytes,
    onTooLong: () => {
      throw tooLarge('an object of the list', limits.objectBytes, sizes.advice());
    },
    onItem: (text, bytes) => {
      const object = parseJson(text);
      sizes.add(object, bytes);
      onItem(object);
    },
  });
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limits.answerBytes) throw tooLarge('the list', limits.answerBytes, sizes.advice());
    cutter.write(chunk);
  }
  const text = cutter.frame();
  const list = text === '' ? undefined : parseJson(text);
  if (cutter.lists > 0 && !(cutter.lists === 1 && isEmptyList(field(list, 'items')))) throw twice();
  return list;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function twice(): KubeApiError {
  return new KubeApiError({ reason: 'InvalidResponse', message: 'the API server sent a list that gives its items twice' });
}
