import { asText, at } from '../../lib/json.ts';
import { NODE_ANNOTATIONS } from '../../model/annotation-keys.ts';
import type { FileState } from '../../model/reasons.ts';
import { parseImageList } from '../../report/image-list.ts';
import type { WhereSubject } from './subject.ts';

/**
 * What one node's annotations say of an image: it `has` files of it, it has none (`not`), its list is cut or absent (`unsaid`), or no
 * agent has written there (`silent`).
 */
export interface NodePlace {
  readonly node: string;
  readonly answer: 'has' | 'not' | 'unsaid' | 'silent';
  /** The state of the file that is used most; only with `has`. */
  readonly state?: FileState;
  /** RFC 3339, as the agent wrote it last; the state is as old or younger. */
  readonly lastPass?: string;
}

/** Reads a Node, or only its metadata; undefined for what is not an object with a name. Keeps nothing of the node but the answer. */
export function nodePlaceOf(object: unknown, { prefix }: WhereSubject): NodePlace | undefined {
  const node = asText(at(object, 'metadata', 'name'));
  if (node === undefined) return undefined;
  const text = (key: keyof typeof NODE_ANNOTATIONS) => asText(at(object, 'metadata', 'annotations', NODE_ANNOTATIONS[key]));
  if (text('result') === undefined) return { node, answer: 'silent' };
  const lastPassMs = Date.parse(text('lastPass') ?? '');
  const said = { node, ...(Number.isNaN(lastPassMs) ? {} : { lastPass: new Date(lastPassMs).toISOString() }) };
  const images = parseImageList(text('images'));
  const state = prefix === undefined ? undefined : images?.states.get(prefix);
  if (state !== undefined) return { ...said, answer: 'has', state };
  return { ...said, answer: images === undefined || images.more > 0 || prefix === undefined ? 'unsaid' : 'not' };
}
