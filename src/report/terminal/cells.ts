import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { printable } from '../../lib/text.ts';

/** Plain ASCII, and the sign of a cut, are one column per character; everything else is measured. */
const ASCII = /^[ -~\u2026]*$/;

/** Columns that a text takes on a terminal: CJK characters take two. */
export function widthOf(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

/** Text from outside for a cell: deceiving characters escaped. */
export function cellText(text: string): string {
  return ASCII.test(text) ? text : printable(text);
}

/** Fills up to `columns`. */
export function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const gap = ' '.repeat(Math.max(0, columns - widthOf(text)));
  return align === 'left' ? text + gap : gap + text;
}

/** At most `columns` wide, `…` where the end was. */
export function cutEnd(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : cut(text, columns, 'end');
}

/** At most `columns` wide, `…` where the beginning was: names of VMs differ at their end. */
export function cutStart(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : cut(text, columns, 'start');
}

/**
 * At most `columns` wide, `…` where the middle was. What follows the digest of a resized or legacy name stays whole, because
 * it is where such files differ.
 */
export function cutName(name: string, columns: number): string {
  if (widthOf(name) <= columns) return name;
  const suffix = /_(?:\d+|sm)$/.exec(name)?.[0] ?? '';
  const room = columns - suffix.length;
  // Below this, a digest's few characters would say less than the suffix's.
  if (suffix === '' || room < 5) return cut(name, columns, 'middle');
  return cut(name.slice(0, -suffix.length), room, 'middle') + suffix;
}

function cut(text: string, columns: number, position: 'start' | 'middle' | 'end'): string {
  if (!ASCII.test(text)) return cliTruncate(text, columns, { position });
  const head = { start: 0, middle: Math.ceil((columns - 1) / 2), end: columns - 1 }[position];
  const tail = columns - 1 - head;
  return `${text.slice(0, head)}…${tail > 0 ? text.slice(-tail) : ''}`;
}

/** Breaks a text at its spaces; every line but the first begins with `indent`. A word that is too long stays whole. */
export function wrap(text: string, columns: number | undefined, indent: string): string {
  if (columns === undefined || widthOf(text) <= columns) return text;
  const lines = [''];
  for (const word of text.split(/(?<=\S) /)) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || widthOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}

/** An age in one unit, at most four characters up to 27 years: `40s`, `59m`, `23h`, `12d`. Mirrors kubectl's `HumanDuration`. */
export function shortAge(seconds: number): string {
  if (seconds < 0) return `-${shortAge(-seconds)}`;
  if (seconds < 120) return `${Math.floor(seconds)}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
