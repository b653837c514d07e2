import { shortAge } from '../report/terminal/cells.ts';

/** `5m ago`; `-` where nobody has said when. `at`: RFC 3339. `nowMs`: wall clock. */
export function agoText(at: string | undefined, nowMs: number): string {
  return at === undefined ? '-' : `${shortAge((nowMs - Date.parse(at)) / 1000)} ago`;
}
