import pLimit from 'p-limit';
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
  const inTurn = pLimit(1);
  return (request) => {
    if (inTurn.activeCount + inTurn.pendingCount >= MAX_WAITING) return undefined;
    return inTurn(() => render(request));
  };
}

async function render({ query, agent, report, hasReport }: StatusRequest): Promise<string> {
  const pass = report === undefined ? undefined : await passOf(report, query);
  return statusPage({ agent, pass, hasReport });
}

async function passOf(report: Report, text: string): Promise<StatusPass> {
  const query = parseStatusQuery(text);
  const selector = statusSelector(query);
  const digest = await runInSlices(digestInSlices(report, { file: (file) => selector.add(file) }), undefined);
  return { report, digest, query, selection: selector.finish() };
}
