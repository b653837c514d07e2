/**
 * File names are bytes. Directories are listed in Latin-1, one character per byte, so that names which are not valid UTF-8 can
 * be distinguished from those that are, and opened anyway.
 */

/** What `fs` takes as a path: a Buffer only where the bytes are not valid UTF-8. */
export type FsPath = string | Buffer;

export interface RawName {
  /** The name as text; bytes that are not UTF-8 are shown as U+FFFD. */
  readonly text: string;
  /** The exact bytes when `text` does not stand for them. */
  readonly bytes?: Buffer | undefined;
}

/** Decodes a name that was read with the `latin1` encoding. */
export function decodeRawName(latin1: string): RawName {
  // Nearly every name is ASCII, which both encodings share.
  if (!/[\u0080-\u00ff]/.test(latin1)) return { text: latin1 };
  const bytes = Buffer.from(latin1, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? { text } : { text, bytes };
}

export function joinPath(directory: FsPath, name: RawName): FsPath {
  if (typeof directory === 'string' && name.bytes === undefined) return `${directory}/${name.text}`;
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), name.bytes ?? Buffer.from(name.text)]);
}
