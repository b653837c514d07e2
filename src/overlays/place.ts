/** Where a path leads once its links are resolved. */
export type Place =
  /** `path` is relative to the instances path; what lies there may not exist. */
  | { readonly kind: 'inside'; readonly path: string }
  /** `path` is absolute. `seen`: whether the host's own file of that name can be looked at from here. */
  | { readonly kind: 'outside'; readonly path: string; readonly seen: boolean }
  /** A directory on the way could not be read, or links lead in a circle. */
  | { readonly kind: 'lost'; readonly message: string };
