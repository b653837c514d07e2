/**
 * What an image reference may mean: the only place where one is understood, whichever source names it. Without blanks it means itself.
 * With blanks, line ends or characters that nobody sees it protects every reading: as it is written, without them at its ends, and each
 * part between them.
 */
export function readingsOf(reference: string): readonly string[] {
  if (isPlain(reference)) return [reference];
  const trimmed = reference.replace(/^[\s\p{C}]+|[\s\p{C}]+$/gu, '');
  return [...new Set([reference, trimmed, ...reference.split(/[\s\p{C}]+/u)])].filter((reading) => reading !== '');
}

/** True where a reference has one reading only. */
export function isPlain(reference: string): boolean {
  return !/[\s\p{C}]/u.test(reference);
}

/** What is wrong with a reference that has several readings, and what to do. */
export function ambiguityOf(reference: string): string {
  const readings = readingsOf(reference).map((reading) => JSON.stringify(shortened(reading)));
  return `the image reference ${JSON.stringify(shortened(reference))} has blanks or line ends in it, or characters that nobody sees: ${readings.slice(0, 4).join(', ')} are all kept; write the id without them`;
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The parts of a list with separators: blanks around them do not count, and empty parts are left out. */
export function listParts(text: string, separator: string | RegExp): readonly string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
