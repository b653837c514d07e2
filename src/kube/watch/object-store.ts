import { versionNumber, type WatchEvent } from './watch-event.ts';
import type { ListResult } from './list.ts';

export type RemovedBy = 'watch' | 'list';

interface Change<T> {
  readonly uid: string;
  readonly version: bigint | undefined;
  /** Undefined: the object is gone, or no longer selected. */
  readonly item: T | undefined;
}

/** What a reflector knows: selected items by UID, fed by lists and by a watch that may run ahead of a list or behind it. */
export class ObjectStore<T> {
  readonly #select: (object: unknown) => T | undefined;
  readonly #onRemoved: (item: T, by: RemovedBy) => void;
  #items = new Map<string, T>();
  #current: string | undefined;
  /** Events up to this version are part of the last list. */
  #floor = -1n;
  #journal: Change<T>[] | undefined;
  #versionAtBegin: string | undefined;

  /** `onRemoved` is called for each item that leaves the store. */
  constructor(select: (object: unknown) => T | undefined, onRemoved: (item: T, by: RemovedBy) => void) {
    this.#select = select;
    this.#onRemoved = onRemoved;
  }

  get(uid: string): T | undefined {
    return this.#items.get(uid);
  }

  values(): Iterable<T> {
    return this.#items.values();
  }

  /** The version to watch from; undefined before the first list. */
  version(): string | undefined {
    return this.#current;
  }

  /** True when the items may have changed. */
  apply(event: WatchEvent): boolean {
    const version = versionNumber(event.version);
    if (version !== undefined && version <= this.#floor) return false;
    this.#current = event.version;
    if (event.type === 'BOOKMARK') return false;
    const item = event.type === 'DELETED' ? undefined : this.#select(event.object);
    const before = this.#items.get(event.uid);
    this.#journal?.push({ uid: event.uid, version, item });
    put(this.#items, event.uid, item);
    if (item === undefined && before !== undefined) this.#onRemoved(before, 'watch');
    return item !== undefined || before !== undefined;
  }

  /** To be called before a list is requested: what the watch brings from now on may be newer than the list. */
  beginList(): void {
    this.#journal = [];
    this.#versionAtBegin = this.#current;
  }

  abandonList(): void {
    this.#journal = undefined;
  }

  /** Replaces everything by the list plus what the watch saw after it. `restart`: the server went back in time, the watch is void. */
  commitList(list: ListResult<T>): 'merged' | 'restart' {
    const version = versionNumber(list.version);
    const restart = !comparable(version, this.#versionAtBegin);
    const items = list.items;
    if (!restart) for (const change of this.#journal ?? []) if (isAfter(change.version, version)) put(items, change.uid, change.item);
    if (restart || !isAfter(versionNumber(this.#current ?? ''), version)) this.#current = list.version;
    this.#journal = undefined;
    this.#floor = version ?? -1n;
    this.#replace(items);
    return restart ? 'restart' : 'merged';
  }

  /** The server says that there is no such resource. */
  clear(): void {
    this.#current = undefined;
    this.#floor = -1n;
    this.#replace(new Map());
  }

  #replace(next: Map<string, T>): void {
    const before = this.#items;
    this.#items = next;
    for (const [uid, item] of before) if (!next.has(uid)) this.#onRemoved(item, 'list');
  }
}

function put<T>(items: Map<string, T>, uid: string, item: T | undefined): void {
  if (item === undefined) items.delete(uid);
  else items.set(uid, item);
}

/** False when the list is older than what was known before it was requested, or where versions are not numbers. */
function comparable(listVersion: bigint | undefined, versionAtBegin: string | undefined): boolean {
  if (versionAtBegin === undefined) return true;
  const number = versionNumber(versionAtBegin);
  return listVersion !== undefined && number !== undefined && listVersion >= number;
}

function isAfter(version: bigint | undefined, other: bigint | undefined): boolean {
  return version !== undefined && other !== undefined && version > other;
}
