import { DEFAULT_RECORDS, MOST_RECORDS, type HistoryQuery } from '../model/ledger/history.ts';
import { documentParts, JSON_FORMAT, type WrittenHistory } from '../report/terminal/ledger/history/document.ts';
import { SECURITY_HEADERS, text, type Answer, type Route } from './answers.ts';
import { createStreams, type StreamLimits } from './streams.ts';

/** A history whose files are open until `close`. */
export interface OpenHistory extends WrittenHistory {
  readonly close: () => void;
}

/** Throws an errno error. */
export type HistoryOpener = (query: HistoryQuery) => OpenHistory;

/** Each reads the whole ledger. */
const READERS = 2;

const NUMBER = /^[1-9]\d{0,14}$/;
/** What may be asked, and what is read of it; undefined for what makes no sense. */
const PARAMETERS: Readonly<Record<string, (value: string) => Partial<HistoryQuery> | undefined>> = {
  since: (value) => (NUMBER.test(value) ? { sinceMs: Number(value) } : undefined),
  until: (value) => (NUMBER.test(value) ? { untilMs: Number(value) } : undefined),
  file: (value) => (value !== '' && value.length <= 255 ? { file: value } : undefined),
  image: (value) => (/^[0-9a-f]{40}$/.test(value) ? { imageSha1: value } : undefined),
  limit: (value) => (NUMBER.test(value) && Number(value) <= MOST_RECORDS ? { limit: Number(value) } : undefined),
  mark: (value) => (NUMBER.test(value) ? { mark: Number(value) } : undefined),
};

/** What the ledger says of removals: it names images, as the report does. */
export function historyRoute(open: HistoryOpener, guard: Route['guard'], limits: Partial<StreamLimits> = {}): Route {
  const streams = createStreams({ ...limits, most: READERS });
  return { guard, answer: ({ query }) => historyAnswer(open, query, streams) };
}

function historyAnswer(open: HistoryOpener, query: string, streams: ReturnType<typeof createStreams>): Answer {
  const asked = parseQuery(query);
  if (typeof asked === 'string') return text(400, asked);
  const body = streams.open(() => piecesOf(open, asked));
  if (body === undefined) return text(503, 'too many readers of the history\n', { 'retry-after': '5' });
  return { status: 200, headers: { ...SECURITY_HEADERS, 'content-type': 'application/json' }, body };
}

/** Opens the files only when somebody reads: a client that went away before would leave them open. */
function* piecesOf(open: HistoryOpener, asked: HistoryQuery): Generator<string> {
  const history = open(asked);
  try {
    yield* documentParts(history, JSON_FORMAT);
  } finally {
    history.close();
  }
}

/** A text where it cannot be answered. */
function parseQuery(query: string): HistoryQuery | string {
  let asked: HistoryQuery = { limit: DEFAULT_RECORDS };
  for (const [key, value] of new URLSearchParams(query)) {
    const part = Object.hasOwn(PARAMETERS, key) ? PARAMETERS[key]?.(value) : undefined;
    if (part === undefined)
      return `since and until are milliseconds, file a name, image a SHA-1, mark a number, limit one up to ${MOST_RECORDS}\n`;
    asked = { ...asked, ...part };
  }
  return asked;
}
