/**
 * File names are bytes. Directories are listed in Latin-1, one character per byte, so that names which are not valid UTF-8 can
 * be distinguished from those that are, and opened anyway.
 */

/** What `fs` takes as a path: a Buffer only where the bytes are not valid UTF-8. */
export type FsPath = string | Buffer;

export interface RawName {
  /**
   * The name as text, another for each other name. A byte that is not UTF-8 is a lone surrogate, U+DC00 more than itself, as in Python's
   * `surrogateescape`. Such a text is not well-formed, and must not be given to `fs`.
   */
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
  return Buffer.from(text, 'utf8').equals(bytes) ? { text } : { text: withSurrogates(bytes), bytes };
}

function withSurrogates(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const character = characterAt(bytes, at);
    text += character ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += character === undefined ? 1 : Buffer.byteLength(character);
  }
  return text;
}

/** Undefined where none begins. */
function characterAt(bytes: Buffer, at: number): string | undefined {
  for (let length = 1; length <= 4; length += 1) {
    const slice = bytes.subarray(at, at + length);
    const text = slice.toString('utf8');
    if (slice.length === length && Buffer.from(text, 'utf8').equals(slice)) return text;
  }
  return undefined;
}

export function joinPath(directory: FsPath, name: RawName): FsPath {
  if (typeof directory === 'string' && name.bytes === undefined) return `${directory}/${name.text}`;
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), name.bytes ?? Buffer.from(name.text)]);
}
