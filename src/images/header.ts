import type { InvalidHeader, Qcow2Header } from './qcow2-header.ts';

/** What the first bytes of a regular file say. `other`: a format that may name a parent which we do not read. */
export type ImageHeader = Qcow2Header | InvalidHeader | { readonly kind: 'raw' } | { readonly kind: 'other'; readonly name: string };

/** A file below the instances path that a reference leads to. */
export type Inspection =
  | ImageHeader
  | { readonly kind: 'absent' }
  /** It exists, but is not a regular file or is reached through something that is not a directory. Never opened. */
  | { readonly kind: 'irregular'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };
