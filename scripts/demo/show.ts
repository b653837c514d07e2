/** How the demo looks on a terminal. */
import { styleText } from 'node:util';

export function show(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Colour only where a terminal wants it: styleText looks at stdout and NO_COLOR. */
function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function chapter(title: string): void {
  show();
  show(paint(['bold', 'cyan'], `── ${title} ${'─'.repeat(Math.max(0, 90 - title.length))}`));
}

export function command(line: string): void {
  show(paint('dim', `$ ${line}`));
}

export function note(line: string): void {
  show(paint('dim', `  ${line}`));
}

export function loud(lines: readonly string[]): void {
  const width = Math.max(...lines.map((line) => line.length)) + 4;
  const bar = '!'.repeat(width + 4);
  show();
  for (const line of [bar, ...lines.map((it) => `!!  ${it.padEnd(width - 4)}  !!`), bar]) show(paint(['bold', 'yellow'], line));
}

/** Name, annotations and events of what `kubectl describe node` prints; a line of dots stands for what lies between. */
export function essentialsOfDescribe(text: string): string {
  const wanted = /^(?:Name|Annotations|Events):/;
  const kept: string[] = [];
  let inside = false;
  for (const line of text.trimEnd().split('\n')) {
    const heading = /^\S/.test(line);
    if (heading && inside && !wanted.test(line)) kept.push('…');
    if (heading) inside = wanted.test(line);
    if (inside) kept.push(line);
  }
  return kept.join('\n');
}

const HIGHLIGHTS = ['basekeeper_base_bytes', 'basekeeper_removed_files_total', 'basekeeper_workloads', 'basekeeper_passes_total'];

/** The samples of some metrics that are not zero. */
export function highlightsOf(metrics: string): string {
  const samples = metrics
    .split('\n')
    .filter((line) => HIGHLIGHTS.some((name) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)));
  return samples.filter((line) => !line.endsWith(' 0')).join('\n');
}
