import { asArray, asNumber, asObject, asText, at, parseJson } from '../lib/json.ts';
import { countOf, listSome, printable, shorten } from '../lib/text.ts';
import type { WantedImage } from '../model/plan.ts';

const MAX_MISSING = 8;
/** A UUID has 36; other ids are cut, so that the annotation stays small. */
const MAX_ID_CHARACTERS = 40;

/** Of the images that somebody wants on a node: how many are there, and which are not. */
export interface WantedSummary {
  readonly present: number;
  /** The first of them. */
  readonly missing: readonly string[];
  /** Missing images beyond those. */
  readonly more: number;
}

/** How many images are missing. */
export function missingCount({ missing, more }: Pick<WantedSummary, 'missing' | 'more'>): number {
  return missing.length + more;
}

/** Whether nobody wants an image there: the annotation stays after the last one. */
export function wantsNone(summary: WantedSummary): boolean {
  return summary.present + missingCount(summary) === 0;
}

export function wantedSummary(wanted: readonly WantedImage[]): WantedSummary {
  const missing = wanted.filter(({ present }) => !present).map(({ imageRef }) => shorten(printable(imageRef), MAX_ID_CHARACTERS));
  const shown = missing.slice(0, MAX_MISSING);
  return { present: wanted.length - missing.length, missing: shown, more: missing.length - shown.length };
}

/** As the annotation says it: `{"present":3,"missing":["4bd1…"],"more":2}`; `more` is left out where it is 0. */
export function wantedText({ present, missing, more }: WantedSummary): string {
  return JSON.stringify({ present, missing, ...(more === 0 ? {} : { more }) });
}

/** Reads the annotation, which anybody may have written: undefined for anything that is not ours. */
export function parseWanted(text: string | undefined): WantedSummary | undefined {
  const value = asObject(parseJson(text ?? ''));
  const [present, missing] = [asNumber(at(value, 'present')), asArray(at(value, 'missing'))];
  if (present === undefined || present < 0 || missing === undefined) return undefined;
  const shown = missing
    .slice(0, MAX_MISSING)
    .map(asText)
    .filter((id) => id !== undefined);
  const more = Math.max(0, asNumber(at(value, 'more')) ?? 0);
  return { present, missing: shown.map((id) => shorten(printable(id), MAX_ID_CHARACTERS)), more };
}

/** `3 of 5 wanted images are here; missing: 4bd1…, 8c2e…`. */
export function wantedLine(summary: WantedSummary): string {
  const { present, missing } = summary;
  const absent = missingCount(summary);
  const count = `${present} of ${countOf(present + absent, 'wanted image')} ${present === 1 ? 'is' : 'are'} here`;
  return absent === 0 ? count : `${count}; missing: ${listSome(missing, MAX_MISSING, absent)}`;
}
