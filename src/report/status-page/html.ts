import { printable } from '../../lib/text.ts';

/** Markup that may be put into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlPart = Html | string | number | undefined | false | readonly HtmlPart[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Templates are laid out for their readers; browsers need none of it. */
const INDENTATION = /\s*\n\s*/g;

/** Markup from a template: every value is escaped unless it is markup already; `undefined` and `false` are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  return new Html(strings.map((markup, index) => markup.replaceAll(INDENTATION, ' ') + render(values[index])).join(''));
}

function render(part: HtmlPart): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return printable(String(part)).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
