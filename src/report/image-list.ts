import { asNumber, asObject, asText, at, parseJson } from '../lib/json.ts';
import type { PlannedFile } from '../model/plan.ts';
import { FILE_STATES, REASON_FACTS, type FileState } from '../model/reasons.ts';

/** Digits of an image's SHA-1 that keep it apart from others: two of a thousand images share eight once in ten thousand fleets. */
export const IMAGE_PREFIX_LENGTH = 8;
/** More images than that are not even counted one by one: no annotation holds them. */
const MAX_IMAGES = 4096;
const PREFIX = /^[0-9a-f]{8}$/;
const OF_IMAGE: ReadonlySet<string> = new Set(['original', 'resized', 'legacy']);

/** Images of which a node has files, by the first digits of the SHA-1 of their ids; `more` are not among them. */
export interface ImageList {
  readonly states: ReadonlyMap<string, FileState>;
  readonly more: number;
}

/** Collects the images of a cache, file by file. */
export class ImageCollector {
  readonly #states = new Map<string, FileState>();
  #more = 0;

  add({ name, kind, reason }: Pick<PlannedFile, 'name' | 'kind' | 'reason'>): void {
    if (!OF_IMAGE.has(kind)) return;
    const prefix = name.slice(0, IMAGE_PREFIX_LENGTH);
    const { state } = REASON_FACTS[reason];
    const known = this.#states.get(prefix);
    if (known !== undefined) {
      if (FILE_STATES.indexOf(state) < FILE_STATES.indexOf(known)) this.#states.set(prefix, state);
    } else if (this.#states.size >= MAX_IMAGES || !PREFIX.test(prefix)) {
      this.#more += 1;
    } else {
      this.#states.set(prefix, state);
    }
  }

  list(): ImageList {
    return { states: this.#states, more: this.#more };
  }
}

/**
 * What `basekeeper.io/images` holds, as compact JSON: `{"used":"0d5e6b61 356a192b","unused":"77de68da","more":3}`. At most `maxBytes`
 * long: images in use come first, and `more` counts those that found no room. Undefined where not even that has room.
 */
export function imageListText({ states, more }: ImageList, maxBytes: number): string | undefined {
  const sorted = [...states].toSorted(
    ([left, a], [right, b]) => FILE_STATES.indexOf(a) - FILE_STATES.indexOf(b) || (left < right ? -1 : 1),
  );
  // Each state costs its name, quotes, colon and comma once; "more" and its number come last.
  let room = maxBytes - '{"more":1234567}'.length - FILE_STATES.join('').length - 7 * FILE_STATES.length;
  const shown: typeof sorted = [];
  for (const entry of sorted) {
    room -= IMAGE_PREFIX_LENGTH + 1;
    if (room < 0) break;
    shown.push(entry);
  }
  if (room < 0 && shown.length === 0) return undefined;
  const left = more + sorted.length - shown.length;
  const groups = [...Map.groupBy(shown, ([, state]) => state)].map(([state, some]) => [state, some.map(([prefix]) => prefix).join(' ')]);
  return JSON.stringify({ ...Object.fromEntries(groups), ...(left === 0 ? {} : { more: left }) });
}

/** Reads the annotation, which anybody may have written: undefined for anything that is not ours. */
export function parseImageList(text: string | undefined): ImageList | undefined {
  const value = asObject(parseJson(text ?? ''));
  if (value === undefined) return undefined;
  const states = new Map<string, FileState>();
  for (const state of FILE_STATES) {
    for (const prefix of asText(at(value, state))?.split(' ') ?? []) {
      if (PREFIX.test(prefix) && !states.has(prefix)) states.set(prefix, state);
    }
  }
  return { states, more: Math.max(0, asNumber(at(value, 'more')) ?? 0) };
}
