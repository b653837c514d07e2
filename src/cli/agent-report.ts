import * as z from 'zod/mini';
import { UsageError } from '../lib/errors.ts';
import type { Report } from '../model/report.ts';

const ANSWER_MS = 30_000;

/** Just enough to know that it is a report that this version can read. */
const reportShape = z.looseObject({
  apiVersion: z.literal('basekeeper.io/v1'),
  kind: z.literal('Report'),
  node: z.string(),
  takenAt: z.string(),
  basePath: z.string(),
  gate: z.looseObject({ open: z.boolean(), reasons: z.array(z.looseObject({ reason: z.string(), message: z.string() })) }),
  files: z.array(
    z.looseObject({
      name: z.string(),
      kind: z.string(),
      reason: z.string(),
      verdict: z.string(),
      usedBy: z.array(z.looseObject({ by: z.string(), through: z.string(), value: z.string(), chain: z.optional(z.array(z.string())) })),
    }),
  ),
  trash: z.optional(
    z.looseObject({
      files: z.array(
        z.looseObject({
          entry: z.string(),
          name: z.string(),
          kind: z.string(),
          trashedAt: z.string(),
          graceEndsAt: z.string(),
          reason: z.string(),
          verdict: z.string(),
        }),
      ),
    }),
  ),
  findings: z.array(z.looseObject({ type: z.string(), message: z.string() })),
});

/** The last report of a running agent. Throws an error that says what to do when there is none. */
export async function fetchReport(agent: string, signal: AbortSignal): Promise<Report> {
  const url = reportUrl(agent);
  const response = await request(url, signal);
  if (!response.ok) {
    const why = response.status === 503 || response.status === 404 ? 'it may have run no pass yet' : 'is it an agent of Basekeeper?';
    throw new Error(`the agent at ${url} answers ${response.status} ${response.statusText}: ${why}`);
  }
  return asReport(await bodyOf(response, url), url, '; check --agent');
}

/** What `origin` answered, when it is a report that this version can read; else throws an error that ends in `hint`. */
export function asReport(answer: unknown, origin: string, hint = ''): Report {
  const parsed = reportShape.safeParse(answer);
  if (!parsed.success) throw new Error(`the response from ${origin} is not a report that this version of Basekeeper can read${hint}`);
  return parsed.data as unknown as Report;
}

function reportUrl(agent: string): string {
  if (!URL.canParse(agent)) throw new UsageError(`--agent ${agent} is not a URL; write one such as http://127.0.0.1:9818`);
  const url = new URL(agent);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new UsageError(`--agent ${agent} must begin with http:// or https://`);
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/report';
  return url.href;
}

async function request(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]), headers: { accept: 'application/json' } });
  } catch (error) {
    throw new Error(
      `no agent answers at ${url}; is it running on this node? Else give --agent URL, or --workloads FILE to compute the answer`,
      {
        cause: error,
      },
    );
  }
}

async function bodyOf(response: Response, url: string): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw new Error(`the response from ${url} is not JSON; check --agent`, { cause: error });
  }
}
