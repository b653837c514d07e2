/** Control, format (bidirectional, zero-width), separator and lone surrogate characters: what may deceive a reader or a terminal. */
const DECEIVING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text from outside, safe to show: deceiving characters are written as `\u{1b}`. */
export function printable(text: string): string {
  return text.replaceAll(DECEIVING, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Nearly all text: nothing in it is looked up by its Unicode properties. */
const PLAIN = /^[ -~]*$/;

/** JSON text that means the same and holds no deceiving characters: JSON itself requires only those below U+0020 to be escaped. */
export function deceptionless(json: string): string {
  if (PLAIN.test(json)) return json;
  return json.replaceAll(DECEIVING, (character) => character.split('').map(escapeUnit).join(''));
}

/** The same with line breaks and indents, for people who read it. */
export function prettyJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).split('\n').map(deceptionless).join('\n')}\n`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** At most `maxCharacters` UTF-16 units, ending in `…` where something was cut; never cuts a surrogate pair in two. */
export function shorten(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const cut = text.slice(0, Math.max(0, maxCharacters - 1));
  return `${cut.replace(/[\uD800-\uDBFF]$/u, '')}…`;
}

/** The same for at most `maxBytes` bytes of UTF-8; the mark itself has three. */
export function shortenBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, maxBytes - 3)));
  return `${text.slice(0, read)}…`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** A size for people, in IEC units with one digit: `118.2 GiB`. By hand, because libraries format by locale, which takes seconds for long tables. */
export function humanBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'unknown';
  if (Math.abs(bytes) < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = 0;
  // 1023.95 would be shown as 1024.0.
  while (Math.abs(value) >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(1)} ${UNITS[unit]}`;
}

/** A duration for people, in its two largest units: `3 d 4 h`, `12 min`, `5 s`. */
export function humanSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds < 0) return `in ${humanSeconds(-seconds)}`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  const units = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** `1 base file`, `2 base files`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The first `limit` of them, then how many more there are: `a, b and 3 more`. */
export function listSome(items: readonly string[], limit: number, total: number = items.length): string {
  const shown = items.slice(0, limit);
  const more = total - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
