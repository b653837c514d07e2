import { styleText } from 'node:util';
import { pad, widthOf } from './cells.ts';

export type Format = Parameters<typeof styleText>[0];

/** How a table is drawn. */
export interface TableStyle {
  /** Columns of the terminal; undefined: nothing is cut, for pipes and files. */
  readonly width?: number | undefined;
  /** Nothing is shortened, whatever the width. */
  readonly wide?: boolean | undefined;
  readonly colour: boolean;
}

/** One column of a table over rows of type `Row`. */
export interface Column<Row> {
  readonly header: string;
  readonly align: 'left' | 'right';
  readonly text: (row: Row) => string;
  /** Makes a text fit; with it, the column may become as narrow as `least`. */
  readonly cut?: (text: string, columns: number, row: Row) => string;
  readonly least?: number;
  readonly format?: (row: Row) => Format | undefined;
  /** Left out where the terminal is too narrow for all; the lowest goes first. Absent: always shown. */
  readonly expendable?: number;
}

/** A column and how wide it is drawn. */
export interface PlacedColumn<Row> extends Column<Row> {
  readonly width: number;
}

const GAP = '  ';

/** Sees each row of a table before columns are placed: a table of a million rows is not walked twice for that. */
export interface ColumnPlacer<Row> {
  add(row: Row): void;
  /** Decides which columns are shown, and how wide. `width` undefined: all of them, as wide as their widest text. */
  place(width: number | undefined): readonly PlacedColumn<Row>[];
}

export function columnPlacer<Row>(columns: readonly Column<Row>[]): ColumnPlacer<Row> {
  const natural = columns.map(({ header }) => header.length);
  return {
    add(row) {
      for (let index = 0; index < columns.length; index += 1) {
        const needed = widthOf(columns[index]?.text(row) ?? '');
        if (needed > (natural[index] ?? 0)) natural[index] = needed;
      }
    },
    place(width) {
      const placed = columns.map((column, index) => ({ ...column, width: natural[index] ?? 0 }));
      return width === undefined ? placed : fit(placed, width);
    },
  };
}

/** The same in one go. */
export function placeColumns<Row>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
  width: number | undefined,
): readonly PlacedColumn<Row>[] {
  const placer = columnPlacer(columns);
  for (const row of rows) placer.add(row);
  return placer.place(width);
}

function fit<Row>(columns: readonly PlacedColumn<Row>[], width: number): readonly PlacedColumn<Row>[] {
  const least = (column: PlacedColumn<Row>) => (column.cut === undefined ? column.width : Math.min(column.width, column.least ?? 1));
  const needed = sum(columns.map(least)) + GAP.length * (columns.length - 1);
  if (needed > width) {
    const expendable = columns.filter((column) => column.expendable !== undefined);
    const first = expendable.toSorted((left, right) => (left.expendable ?? 0) - (right.expendable ?? 0))[0];
    if (first !== undefined) {
      return fit(
        columns.filter((column) => column !== first),
        width,
      );
    }
  }
  // What is left over goes to the columns from the left, each up to what it can use.
  let spare = Math.max(0, width - needed);
  return columns.map((column) => {
    const extra = Math.min(spare, column.width - least(column));
    spare -= extra;
    return { ...column, width: least(column) + extra };
  });
}

/** The line of headers. */
export function headerLine<Row>(columns: readonly PlacedColumn<Row>[], colour: boolean): string {
  const line = columns
    .map(({ header, width, align }) => pad(header, width, align))
    .join(GAP)
    .trimEnd();
  return `${paint(line, 'bold', colour)}\n`;
}

/** One row as a line. */
export function rowLine<Row>(columns: readonly PlacedColumn<Row>[], row: Row, colour: boolean): string {
  const cells = columns.map(({ text, cut, width, align, format }) => {
    const full = text(row);
    const cell = pad(cut === undefined ? full : cut(full, width, row), width, align);
    return colour ? paint(cell, format?.(row), colour) : cell;
  });
  return `${cells.join(GAP).trimEnd()}\n`;
}

/** A whole table, line by line; nothing where there are no rows. */
export function* tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], { width, colour }: TableStyle): Generator<string> {
  if (rows.length === 0) return;
  const placed = placeColumns(columns, rows, width);
  yield headerLine(placed, colour);
  for (const row of rows) yield rowLine(placed, row, colour);
}

/** Colours a text where colours are wanted at all. */
export function paint(text: string, format: Format | undefined, colour: boolean): string {
  return colour && format !== undefined ? styleText(format, text, { validateStream: false }) : text;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
