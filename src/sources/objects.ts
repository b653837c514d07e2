import { asObject, asText, at } from '../lib/json.ts';
import type { Gap, GapKind, ObjectReference } from '../model/workload.ts';

/** The reference of an object whose kind is known from where it was listed: items of a list do not say it. */
export function referenceOf(object: unknown, apiVersion: string, kind: string): ObjectReference {
  const namespace = asText(at(object, 'metadata', 'namespace'));
  return {
    apiVersion,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name: asText(at(object, 'metadata', 'name')) ?? '',
    uid: asText(at(object, 'metadata', 'uid')) ?? '',
  };
}

/** `namespace/name`, as people call an object. */
export function displayName(object: ObjectReference): string {
  return object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
}

/** Own string values only. */
export function stringMap(value: unknown): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [key, entry] of Object.entries(asObject(value) ?? {})) if (typeof entry === 'string') map.set(key, entry);
  return map;
}

export function objectGap(kind: GapKind, source: string, object: ObjectReference, message: string): Gap {
  return { kind, source, object, message: `${object.kind} ${displayName(object)}: ${message}` };
}
