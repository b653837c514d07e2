/** A name in a header. `valid` is false where its bytes are not UTF-8: then `text` is not what QEMU would open. */
export interface HeaderName {
  readonly text: string;
  readonly valid: boolean;
}

/** An image whose header was read: what it names, and so what it is backed by. */
export interface ParsedImage {
  readonly kind: 'image';
  /** QEMU's name of the format. */
  readonly format: string;
  /** Above 2^53 the value is rounded. Undefined where the header was not read as far as that. */
  readonly virtualSizeBytes?: number | undefined;
  readonly backingFile?: HeaderName | undefined;
  /** As the header says; undefined where QEMU would probe. */
  readonly backingFormat?: string | undefined;
  /** Files that hold the data of this image: an external data file, the extents of a VMDK descriptor. */
  readonly dataFiles?: readonly HeaderName[] | undefined;
  /** Why the image may be backed by more than it names here; undefined: what it names is all. */
  readonly unclear?: string | undefined;
  /** The image is marked as corrupt. */
  readonly corrupt?: boolean | undefined;
}

export interface InvalidHeader {
  readonly kind: 'invalid';
  /** QEMU's name of the format that the first bytes announce. */
  readonly format: string;
  readonly message: string;
}

/** `raw`: no format that names another file, so the bytes are backed by nothing (LUKS, ISO 9660 and plain disks alike). */
export type ImageHeader = ParsedImage | InvalidHeader | { readonly kind: 'raw' };

/** A file that a reference leads to. */
export type Inspection =
  | ImageHeader
  | { readonly kind: 'absent' }
  /** It exists, but is not a regular file. Never opened. */
  | { readonly kind: 'irregular'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };
