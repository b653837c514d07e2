import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';
import { KubeApiError } from '../errors.ts';

/** The whole body as text; throws `KubeApiError` (`InvalidResponse`) when it is longer than `limitBytes`. */
export async function readText(body: Readable, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) throw tooLarge('the answer', limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The body's lines, empty ones left out. A last line without its line break is what a broken connection leaves: it is dropped. */
export async function* readLines(body: Readable, limitBytes: number, onData: () => void): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    onData();
    const pieces = decoder.write(chunk).split('\n');
    for (const [index, piece] of pieces.entries()) {
      parts.push(piece);
      length += piece.length;
      if (length > limitBytes) throw tooLarge('an event of the watch', limitBytes);
      if (index === pieces.length - 1) break;
      if (length > 0) yield parts.join('');
      parts = [];
      length = 0;
    }
  }
}

/** Throws `KubeApiError` (`InvalidResponse`) for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new KubeApiError({ reason: 'InvalidResponse', message: 'the API server sent something that is not JSON', cause: error });
  }
}

export function tooLarge(what: string, limitBytes: number, advice = ''): KubeApiError {
  return new KubeApiError({ reason: 'InvalidResponse', message: `${what} is longer than ${limitBytes} bytes${advice}` });
}

/** What may be quoted of an answer that is not JSON: one line of text, no page. */
const ONE_LINE = /^([^<\p{Cc}]{1,200})\s*$/u;

/** The Status object of a failed request, or one made of the line that came instead: a load balancer's page is not JSON, nor what a pod says through the proxy. */
export function parseStatus(text: string): unknown {
  return text.startsWith('{') ? parseJson(text) : { message: ONE_LINE.exec(text)?.[1] };
}
