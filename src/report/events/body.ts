import type { ObjectReference } from '../../model/workload.ts';
import type { EventValue } from './event.ts';

/** Where events of objects without a namespace live. */
const DEFAULT_NAMESPACE = 'default';

export interface SeriesState {
  readonly count: number;
  /** Wall clock, ms. */
  readonly lastObservedMs: number;
}

export interface EventIdentity {
  readonly name: string;
  readonly controller: string;
  readonly instance: string;
  /** Wall clock, ms. */
  readonly eventMs: number;
}

/** The events.k8s.io/v1 object. A series needs a count of two or more. */
export function eventBody(event: EventValue, identity: EventIdentity, series?: SeriesState): object {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: identity.name, namespace: eventNamespace(event.regarding) },
    eventTime: microTime(identity.eventMs),
    reportingController: identity.controller,
    reportingInstance: identity.instance.slice(0, 128),
    action: event.action,
    reason: event.reason,
    type: event.type,
    note: event.note,
    regarding: objectReference(event.regarding),
    ...(event.related === undefined ? {} : { related: objectReference(event.related) }),
    ...(series === undefined || series.count < 2 ? {} : seriesPatch(series)),
  };
}

/** The merge patch that counts a repetition. */
export function seriesPatch({ count, lastObservedMs }: SeriesState): object {
  return { series: { count, lastObservedTime: microTime(lastObservedMs) } };
}

export function eventsPath(event: EventValue): string {
  return `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(eventNamespace(event.regarding))}/events`;
}

/** Mirrors client-go's `<object name>.<time in hex>`; random digits beside the time keep agents from colliding. */
export function eventName({ regarding }: EventValue, wallMs: number, random: () => number): string {
  const digits = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
  return `${regarding.name.slice(0, 220)}.${Math.floor(wallMs).toString(16)}${digits}`;
}

function eventNamespace(regarding: ObjectReference): string {
  return regarding.namespace ?? DEFAULT_NAMESPACE;
}

function objectReference({ apiVersion, kind, namespace, name, uid }: ObjectReference): object {
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name, uid };
}

/** metav1.MicroTime: RFC 3339 with six digits. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
