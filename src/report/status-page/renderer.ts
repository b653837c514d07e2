import type { Report } from '../../model/report.ts';
import type { AgentView } from './agent-view.ts';
import { runInSlices } from '../../lib/pacer.ts';
import { digestInSlices } from '../digest.ts';
import { statusPage, type StatusPass } from './page.ts';
import { parseStatusQuery } from './query.ts';
import { statusSelector } from './rows.ts';

/** Pages that may wait for their turn. */
const MAX_WAITING = 8;

export interface StatusRequest {
  readonly query: string;
  readonly agent: AgentView;
  readonly report: Report | undefined;
  readonly hasReport: boolean;
}

/** Renders pages one after the other; undefined when too many wait already. */
export type StatusRenderer = (request: StatusRequest) => Promise<string> | undefined;

export function createStatusRenderer(): StatusRenderer {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return (request) => {
    if (waiting >= MAX_WAITING) return undefined;
    waiting++;
    const page = renderAfter(last, request).finally(() => waiting--);
    last = page.catch(() => undefined);
    return page;
  };
}

async function renderAfter(previous: Promise<unknown>, { query, agent, report, hasReport }: StatusRequest): Promise<string> {
  await previous;
  const pass = report === undefined ? undefined : await passOf(report, query);
  return statusPage({ agent, pass, hasReport });
}

async function passOf(report: Report, text: string): Promise<StatusPass> {
  const query = parseStatusQuery(text);
  const selector = statusSelector(query);
  const digest = await runInSlices(digestInSlices(report, { file: (file) => selector.add(file) }), undefined);
  return { report, digest, query, selection: selector.finish() };
}
