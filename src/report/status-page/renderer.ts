import { setImmediate } from 'node:timers/promises';
import type { Report } from '../../model/report.ts';
import type { AgentView } from './agent-view.ts';
import { digestBuilder } from '../digest.ts';
import { statusPage, type StatusPass } from './page.ts';
import { parseStatusQuery } from './query.ts';
import { statusSelector } from './rows.ts';

/** Files per turn of the event loop. */
const FILES_PER_TURN = 500;
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
  const digest = digestBuilder(report);
  let count = 0;
  for (const file of report.files) {
    digest.add(file);
    selector.add(file);
    if (++count % FILES_PER_TURN === 0) await setImmediate();
  }
  return { report, digest: digest.finish(), query, selection: selector.finish() };
}
