export interface WatchedObject {
  /** Behaves like the object, and throws an `Error` once it was looked at too often. */
  readonly watched: unknown;
  /** What a value found in it is a view of. */
  readonly original: (value: unknown) => unknown;
}

/** Bounds what somebody else's code may do with an object: every property that is read or listed, at any depth, is one look. */
export function watchedObject(object: unknown, maxLooks: number): WatchedObject {
  const originals = new WeakMap<object, object>();
  let left = maxLooks;
  const spend = (looks: number): void => {
    left -= looks;
    if (left < 0) throw new Error(`it takes more than ${maxLooks} looks at the object`);
  };
  const watch = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const view = new Proxy(value, {
      get(target, key) {
        spend(1);
        return watch(Reflect.get(target, key));
      },
      ownKeys(target) {
        const keys = Reflect.ownKeys(target);
        spend(keys.length);
        return keys;
      },
    });
    originals.set(view, value);
    return view;
  };
  return {
    watched: watch(object),
    original: (value) => (typeof value === 'object' && value !== null ? (originals.get(value) ?? value) : value),
  };
}
