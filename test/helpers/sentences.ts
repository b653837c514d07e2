/** Prose of a Markdown text, for the rules of docs/conventions.md. */

export interface Sentence {
  /** Of the paragraph or table row in which it begins; from 1. */
  readonly line: number;
  readonly text: string;
  readonly words: number;
}

interface Block {
  readonly line: number;
  readonly text: string;
}

const LIST_MARK = /^\s*(?:[-*]|\d+\.)\s+/;

/** Sentences of paragraphs, list items and table cells. Code, links' targets and quotations, such as titles of tests, count as one word. */
export function sentencesOf(markdown: string): readonly Sentence[] {
  return blocksOf(markdown).flatMap(({ line, text }) =>
    asWords(text)
      .split(/(?<=[.!?])["*)]*\s+/)
      .map((sentence) => ({ line, text: sentence, words: sentence.split(/\s+/).filter((word) => /\w/.test(word)).length })),
  );
}

/** Lines of prose that are longer than `columns`: not those of tables, and not those of code. */
export function longLines(markdown: string, columns: number): readonly number[] {
  return withoutCode(markdown).flatMap((text, index) => (text.length > columns && !text.startsWith('|') ? [index + 1] : []));
}

function asWords(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/`[^`]*`/g, 'code')
    .replaceAll(/"[^"]*"/g, 'quotation');
}

/** What a reader reads as one: a paragraph, an item of a list, a cell of a table. */
function blocksOf(markdown: string): readonly Block[] {
  const blocks: { line: number; text: string }[] = [];
  let open = false;
  for (const [index, text] of withoutCode(markdown).entries()) {
    const line = index + 1;
    if (text.startsWith('|')) blocks.push(...cellsOf(text).map((cell) => ({ line, text: cell })));
    const last = blocks.at(-1);
    const isProse = text.trim() !== '' && !/^(?:#|\||<!--)/.test(text);
    if (isProse && open && last !== undefined && !LIST_MARK.test(text)) last.text += ` ${text.trim()}`;
    else if (isProse) blocks.push({ line, text: text.replace(LIST_MARK, '') });
    open = isProse;
  }
  return blocks;
}

function cellsOf(row: string): readonly string[] {
  return row.split(' | ').map((cell) => cell.replaceAll(/^\|\s*|\s*\|$/g, ''));
}

/** With empty lines for those of code, so that numbers of lines stay. */
function withoutCode(markdown: string): readonly string[] {
  let inCode = false;
  return markdown.split('\n').map((text) => {
    const isFence = text.trimStart().startsWith('```');
    if (isFence) inCode = !inCode;
    return inCode || isFence ? '' : text;
  });
}
