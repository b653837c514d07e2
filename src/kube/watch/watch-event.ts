import { asText, at, field } from '../../lib/json.ts';
import { KubeApiError } from '../errors.ts';
import { statusError } from '../client/status.ts';

/** One line of a watch that says something about an object, or how far the watch has come. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: unknown; readonly uid: string; readonly version: string }
  | { readonly type: 'BOOKMARK'; readonly version: string };

/** Asks for what happened after this version, for so long. */
export function watchQuery(version: string | undefined, timeoutSeconds: number): Record<string, string> {
  return { watch: 'true', allowWatchBookmarks: 'true', resourceVersion: version ?? '0', timeoutSeconds: String(timeoutSeconds) };
}

/** Throws `KubeApiError`: what an ERROR event says, or `InvalidResponse`. Either way something may be lost: list again. */
export function parseWatchEvent(line: unknown): WatchEvent {
  const type = field(line, 'type');
  const object = field(line, 'object');
  if (type === 'ERROR') throw statusError('the watch ended with an error', object, {});
  const version = asText(at(object, 'metadata', 'resourceVersion'));
  if (version === undefined) throw invalid('an event without a resourceVersion');
  if (type === 'BOOKMARK') return { type, version };
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') throw invalid('an event of an unknown type');
  return { type, object, version, uid: uidOf(object) };
}

/** Throws `KubeApiError` (`InvalidResponse`): the API server gives every object a UID. */
export function uidOf(object: unknown): string {
  const uid = asText(at(object, 'metadata', 'uid'));
  if (uid === undefined) throw invalid('an object without a UID');
  return uid;
}

/** Resource versions grow, and compare as numbers (KEP-5504); undefined for one that is not a number. */
export function versionNumber(version: string): bigint | undefined {
  return /^\d{1,20}$/.test(version) ? BigInt(version) : undefined;
}

function invalid(what: string): KubeApiError {
  return new KubeApiError({ reason: 'InvalidResponse', message: `the API server sent ${what}` });
}
