/** A page of our own that shows a dashboard's panels with real data: to check that they read well, and for the documents. Not Grafana. */
import type { Panel, PanelQuery, Row } from './panels.ts';
import type { Series } from './prometheus.ts';

export interface DrawnQuery {
  readonly query: PanelQuery;
  readonly series: readonly Series[];
}
export interface DrawnPanel {
  readonly panel: Panel;
  readonly results: readonly DrawnQuery[];
}

const COLUMN = 58;
const ROW = 34;
const COLOURS = ['#3274d9', '#e0752d', '#3f9142', '#c4162a', '#8f3bb8', '#0a8f8f', '#b8860b', '#6b7280', '#d6498a', '#4b5320'];
const GAP = 6;
/** Grafana's names of fixed colours. */
const NAMED: Readonly<Record<string, string>> = {
  green: '#3f9142',
  'semi-dark-green': '#8fbf6a',
  orange: '#e0752d',
  red: '#c4162a',
  blue: '#3274d9',
  purple: '#8f3bb8',
  yellow: '#d9a800',
  text: '#6b7280',
};

export function drawPage(title: string, note: string, panels: readonly DrawnPanel[], headings: readonly Row[]): string {
  const height = Math.max(...panels.map(({ panel: { grid } }) => grid.y + grid.h)) * ROW;
  return `<!doctype html><meta charset="utf-8"><title>${text(title)}</title><style>
body{margin:16px;font:13px/1.35 "DejaVu Sans",sans-serif;background:#f4f5f5;color:#1f2328;width:${24 * COLUMN}px}
h1{font-size:20px;margin:0 0 2px}p{margin:0 0 10px;color:#57606a}main{position:relative;height:${height}px}
section{position:absolute;box-sizing:border-box;background:#fff;border:1px solid #d8dee4;border-radius:4px;padding:6px 10px;overflow:hidden}
h2{font-size:12px;margin:0 0 4px;font-weight:600}.big{font-size:24px;font-weight:600;padding-top:8px}.red{color:#c4162a}
table{border-collapse:collapse;width:100%;font-size:11px}th,td{text-align:left;padding:2px 8px 2px 0;border-bottom:1px solid #eaeef2}
.legend{font-size:10px;line-height:1.3}.legend i{display:inline-block;width:9px;height:3px;margin:0 4px 3px 0}.legend span{margin-right:10px;white-space:nowrap}
.row{position:absolute;margin:0;line-height:${ROW - GAP}px;font-size:14px}.empty{color:#57606a}svg text{font-size:9px;fill:#57606a}</style><h1>${text(title)}</h1><p>${text(note)}</p><main>${headings.map(heading).join('')}${panels.map(section).join('')}</main>`;
}

function heading({ title, y }: Row): string {
  return `<h2 class="row" style="top:${y * ROW}px">${text(title)}</h2>`;
}

function section(drawn: DrawnPanel): string {
  const { x, y, w, h } = drawn.panel.grid;
  const style = `left:${x * COLUMN}px;top:${y * ROW}px;width:${w * COLUMN - GAP}px;height:${h * ROW - GAP}px`;
  return `<section style="${style}"><h2>${text(drawn.panel.title)}</h2>${content(drawn)}</section>`;
}

function content(drawn: DrawnPanel): string {
  if (drawn.results.every(({ series }) => series.length === 0)) return `<div class="empty">${text(drawn.panel.noValue ?? 'No data')}</div>`;
  if (drawn.panel.type === 'stat') return bigNumber(drawn);
  return drawn.panel.type === 'table' ? rows(drawn) : chart(drawn);
}

function bigNumber({ panel, results }: DrawnPanel): string {
  const [first] = results.flatMap(({ query, series }) => series.map((it) => ({ name: legendOf(query, it), value: it.values.at(-1)?.[1] })));
  const value = first?.value ?? Number.NaN;
  const red = panel.redFrom !== undefined && value >= panel.redFrom;
  return `<div class="big${red ? ' red' : ''}">${text(panel.showsName ? (first?.name ?? '') : withUnit(value, panel.unit))}</div>`;
}

function rows({ panel, results }: DrawnPanel): string {
  const labels = Object.keys(panel.columns).filter((it) => !it.startsWith('Value'));
  const found = new Map<string, { readonly cells: readonly string[]; readonly values: Map<string, number> }>();
  for (const { query, series } of results) {
    for (const { metric, values } of series) {
      const cells = labels.map((label) => metric[label] ?? '');
      const row = found.get(cells.join(' ')) ?? { cells, values: new Map<string, number>() };
      row.values.set(query.legend, values.at(-1)?.[1] ?? Number.NaN);
      found.set(cells.join(' '), row);
    }
  }
  const titles = results.map(({ query }) => query.legend);
  const head = [...labels.map((label) => panel.columns[label] ?? label), ...titles].map((it) => `<th>${text(it)}</th>`).join('');
  const sorted = [...found.values()].toSorted((a, b) => (b.values.get(titles[0] ?? '') ?? 0) - (a.values.get(titles[0] ?? '') ?? 0));
  const lines = sorted.map(({ cells, values }) => {
    const numbers = titles.map((title) => withUnit(values.get(title) ?? Number.NaN, panel.units[title] ?? panel.unit));
    return `<tr>${[...cells, ...numbers].map((it) => `<td>${text(it)}</td>`).join('')}</tr>`;
  });
  return `<table><tr>${head}</tr>${lines.join('')}</table>`;
}

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [number, number])[];
}

function chart({ panel, results }: DrawnPanel): string {
  const [width, height] = [panel.grid.w * COLUMN - 100, panel.grid.h * ROW - 95];
  const all = results
    .flatMap(({ query, series }) =>
      series.map((it) => ({ name: legendOf(query, it), points: it.values.filter(([, value]) => !Number.isNaN(value)) })),
    )
    .filter(({ points }) => points.length > 0)
    .toSorted((a, b) => a.name.localeCompare(b.name));
  const lines = all.map((it, index): Line => ({
    ...it,
    colour: NAMED[panel.colours[it.name] ?? ''] ?? COLOURS[index % COLOURS.length] ?? '',
  }));
  const shown = panel.stacked ? stack(lines) : lines;
  const times = shown.flatMap(({ points }) => points.map(([seconds]) => seconds));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const top = roundTop(Math.max(...shown.flatMap(({ points }) => points.map(([, value]) => value))), panel.unit);
  const at = ([seconds, value]: readonly [number, number]) =>
    `${(((seconds - from) / (to - from || 1)) * width).toFixed(1)},${(height - (value / top) * height).toFixed(1)}`;
  const paths = shown.toReversed().map(({ colour, points }) => {
    const path = points.map(at).join(' L');
    const area = panel.stacked
      ? `<path d="M${at([points[0]?.[0] ?? from, 0])} L${path} L${at([points.at(-1)?.[0] ?? to, 0])}Z" style="fill:color-mix(in srgb,${colour} 40%,white)"/>`
      : '';
    return `${area}<path d="M${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
  });
  const grid = [0, 0.5, 1].map((part) => {
    const y = height - part * height;
    return `<path d="M0 ${y}H${width}" stroke="#eaeef2"/><text x="-6" y="${y + 3}" text-anchor="end">${text(withUnit(top * part, panel.unit))}</text>`;
  });
  const legend = lines
    .map((line) => `<span><i style="background:${line.colour}"></i>${text(line.name)} <b>${text(valuesOf(line, panel))}</b></span>`)
    .join(' ');
  const clock = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 19);
  const axis = `<text x="0" y="${height + 13}">${clock(from)}</text><text x="${width}" y="${height + 13}" text-anchor="end">${clock(to)}</text>`;
  return `<svg width="${width + 70}" height="${height + 22}" viewBox="-62 -4 ${width + 70} ${height + 22}">${grid.join('')}${paths.join('')}${axis}</svg><div class="legend">${legend}</div>`;
}

/** Last and largest value, as the legend's `calcs` ask for. */
function valuesOf({ points }: Line, { legendValues, unit }: Panel): string {
  const values = points.map(([, value]) => value);
  const each = legendValues.map((calc) => withUnit(calc === 'max' ? Math.max(...values) : (values.at(-1) ?? Number.NaN), unit));
  return each.join(' / ');
}

/** Where an axis ends: a number of few digits, as much as the largest value or a little more, whose half has few digits as well. */
function roundTop(largest: number, unit: string): number {
  if (!(largest > 0)) return unit === 'bytes' ? 2 ** 20 : 1;
  const base = unit === 'bytes' ? 1024 : 10;
  const step = base ** Math.floor(Math.log(largest) / Math.log(base));
  const factors = [1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 40, 50, 60, 80, 100, 200, 300, 400, 500, 600, 800, 1024];
  return step * (factors.find((factor) => factor * step >= largest) ?? base);
}

/** Each line on the sum of those before it. */
function stack(lines: readonly Line[]): Line[] {
  const sums = new Map<number, number>();
  return lines.map((line) => ({
    ...line,
    points: line.points.map(([seconds, value]) => {
      const sum = (sums.get(seconds) ?? 0) + value;
      sums.set(seconds, sum);
      return [seconds, sum] as const;
    }),
  }));
}

function legendOf({ legend }: PanelQuery, { metric }: Series): string {
  return legend.replaceAll(/\{\{(\w+)\}\}/g, (_all, label: string) => metric[label] ?? '');
}

/** As Grafana shows the units that the dashboards use. */
export function withUnit(value: number, unit: string): string {
  if (Number.isNaN(value)) return '–';
  if (unit === 'bytes') return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']);
  if (unit === 'percentunit') return `${rounded(value * 100)} %`;
  if (unit === 'reqps') return `${rounded(value)} req/s`;
  if (unit !== 's') return rounded(value);
  if (value < 1) return `${rounded(value * 1000)} ms`;
  const [size, name] = (
    [
      [86_400, 'day'],
      [3600, 'hour'],
      [60, 'min'],
    ] as const
  ).find(([it]) => value >= it) ?? [1, 's'];
  return `${rounded(value / size)} ${name}`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  const exponent = Math.min(units.length - 1, value === 0 ? 0 : Math.max(0, Math.floor(Math.log(Math.abs(value)) / Math.log(base))));
  return `${rounded(value / base ** exponent)} ${units[exponent]}`;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
