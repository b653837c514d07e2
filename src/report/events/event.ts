import type { ObjectReference } from '../../model/workload.ts';
import { EVENT_REASONS, type EventReason } from './reasons.ts';
import { printable, shortenBytes } from '../../lib/text.ts';

/** What events.k8s.io/v1 allows: it says characters, and counts bytes. */
const NOTE_MAX_BYTES = 1024;

/** An event before it is sent: a value. */
export interface EventValue {
  /** Which open problem it reports; what the publisher gives back when it could not take the event. */
  readonly problem: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly action: string;
  readonly regarding: ObjectReference;
  readonly related?: ObjectReference | undefined;
  /** At most 1024 bytes, without control characters. */
  readonly note: string;
}

export function eventValue(reason: EventReason, about: Pick<EventValue, 'problem' | 'regarding' | 'related'>, text: string): EventValue {
  const { type, action } = EVENT_REASONS[reason];
  return { ...about, type, reason, action, note: eventNote(text, EVENT_REASONS[reason].advice) };
}

/** The advice always survives: what is cut is the part that names examples. */
function eventNote(text: string, advice: string): string {
  const tail = advice === '' ? '' : ` ${advice}`;
  return `${shortenBytes(printable(text), NOTE_MAX_BYTES - Buffer.byteLength(tail))}${tail}`;
}

/**
 * Events with the same key are one event that repeats. Mirrors client-go `tools/events` `getKey`: action, reason,
 * controller, regarding and related, not the note.
 */
export function seriesKey(event: EventValue, controller: string): string {
  return JSON.stringify([event.action, event.reason, controller, identityOf(event.regarding), identityOf(event.related)]);
}

/** Names the object by all that makes it one, UID included: an object recreated under its name is another one. */
export function identityOf(object: ObjectReference | undefined): string {
  if (object === undefined) return '';
  return JSON.stringify([object.apiVersion, object.kind, object.namespace ?? '', object.name, object.uid]);
}
