import { listParts } from '../../lib/image-reference.ts';
import { asObject, asText, at } from '../../lib/json.ts';
import { NODE_ANNOTATIONS } from '../../model/annotation-keys.ts';
import type { Gap, Pin } from '../../model/workload.ts';
import { displayName, objectGap, referenceOf, stringMap } from '../objects.ts';

export const PIN_SOURCE = 'pins';

const GLOB_PREFIX = 'file:';
const CONFIG_MAP_KEYS: ReadonlySet<string> = new Set(['imageRefs', 'fileNames', 'wantedImages']);

/** `4bd1…, file:swap_*`. Blanks around the commas do not count, and empty parts are left out. */
export function pinOfAnnotation(value: string | undefined): Pin | undefined {
  const parts = listParts(value ?? '', ',');
  if (parts.length === 0) return undefined;
  const [globs, imageRefs] = [parts.filter((part) => part.startsWith(GLOB_PREFIX)), parts.filter((part) => !part.startsWith(GLOB_PREFIX))];
  return { origin: `annotation ${NODE_ANNOTATIONS.pin}`, imageRefs, fileNames: globs.map((part) => part.slice(GLOB_PREFIX.length).trim()) };
}

/** `4bd1…, 8c2e…`: images that should be on the node; they are kept like pins. */
export function wantedOfAnnotation(value: string | undefined): Pin | undefined {
  const wanted = listParts(value ?? '', ',');
  return wanted.length === 0 ? undefined : { origin: `annotation ${NODE_ANNOTATIONS.wanted}`, imageRefs: wanted, fileNames: [], wanted };
}

export interface PinRecord {
  readonly pin: Pin;
  readonly gaps: readonly Gap[];
}

/** One image id or glob per line. A key that means nothing here may be a pin that was meant: a gap. */
export function pinOfConfigMap(object: unknown): PinRecord {
  const reference = referenceOf(object, 'v1', 'ConfigMap');
  const data = stringMap(asObject(at(object, 'data')));
  const wanted = lines(data.get('wantedImages'));
  const unknown = [...data.keys()].filter((key) => !CONFIG_MAP_KEYS.has(key));
  return {
    pin: {
      origin: `ConfigMap ${displayName(reference)}`,
      imageRefs: [...lines(data.get('imageRefs')), ...wanted],
      fileNames: lines(data.get('fileNames')),
      ...(wanted.length === 0 ? {} : { wanted }),
    },
    gaps: unknown.map((key) =>
      objectGap(
        'IncompleteWorkload',
        PIN_SOURCE,
        reference,
        `key ${JSON.stringify(key.slice(0, 60))} is unknown; pins are under imageRefs, fileNames and wantedImages`,
      ),
    ),
  };
}

function lines(text: string | undefined): readonly string[] {
  return listParts(asText(text) ?? '', '\n');
}
