import { prettyJson } from '../lib/text.ts';
import type { TableStyle } from '../report/terminal/layout.ts';
import { wantsColour, widthOfTerminal, writeResult, type Environment, type Io } from './io.ts';

/** `table`: for people, cut to the terminal; `wide`: nothing is cut or left out; `name`: names alone, one a line. */
export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** What a command prints, in every format. */
export interface Printed {
  /** For people, in pieces of whole lines. */
  readonly text: (style: TableStyle) => Iterable<string>;
  /** For programs; or the pieces of both formats, where it may be long. */
  readonly document: unknown;
  readonly pieces?: Readonly<Record<'json' | 'yaml', () => Promise<Iterable<string>>>> | undefined;
  /** Safe to show. */
  readonly names: () => Iterable<string>;
}

export interface PrintContext {
  readonly env: Environment;
  readonly io: Io;
}

/** Prints it to stdout. */
export async function printResult(printed: Printed, format: OutputFormat, { env, io }: PrintContext): Promise<void> {
  await writeResult(io.stdout, await piecesOf(printed, format, styleFor(format, { env, io })));
}

/** How a table is drawn on this terminal. */
export function styleFor(format: OutputFormat, { env, io }: PrintContext): TableStyle {
  const colour = wantsColour(io.stdout, env);
  return format === 'wide' ? { wide: true, colour } : { width: widthOfTerminal(io.stdout), colour };
}

async function piecesOf(printed: Printed, format: OutputFormat, style: TableStyle): Promise<Iterable<string>> {
  if (format === 'name') return linesOf(printed.names());
  if (format === 'json') return (await printed.pieces?.json()) ?? [prettyJson(printed.document)];
  // The YAML library is much of what a command loads.
  if (format === 'yaml') return (await printed.pieces?.yaml()) ?? [(await import('../lib/yaml/write.ts')).yamlText(printed.document)];
  return printed.text(style);
}

function* linesOf(names: Iterable<string>): Generator<string> {
  for (const name of names) yield `${name}\n`;
}
