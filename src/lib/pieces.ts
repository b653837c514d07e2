/** Long enough that few system calls are needed, short enough that nothing is held for long. */
const PIECE_CHARACTERS = 65_536;

/** Joins small parts of a text to pieces of about 64 Ki characters, so that a million rows are never one string. */
export function* inPieces(parts: Iterable<string>): Generator<string> {
  let piece = '';
  for (const part of parts) {
    piece += part;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
