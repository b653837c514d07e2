/** What the server needs of a request. */
export interface Question {
  readonly method: string;
  readonly url: string;
  readonly host: string | undefined;
  readonly accept: string | undefined;
  readonly authorization: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Streamed;
}

/** A body that is made while it is sent; `cut` says that its reader is too slow. */
export interface Streamed {
  readonly pieces: AsyncIterable<string>;
  readonly cut: AbortSignal;
}

export interface RouteRequest {
  readonly accept: string | undefined;
  readonly query: string;
}

export interface Route {
  /** Answers in its place where the caller may not have it. */
  readonly guard?: ((authorization: string | undefined) => Promise<Answer | undefined>) | undefined;
  answer(request: RouteRequest): Answer | Promise<Answer>;
}

/** What is answered, by path. */
export type Routes = ReadonlyMap<string, Route>;

export type Answerer = (question: Question) => Promise<Answer>;

export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...SECURITY_HEADERS, 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}

/** Answers from the routes, to those who call the agent by a name that is its own. */
export function createAnswerer(routes: Routes, isOurName: (host: string | undefined) => boolean): Answerer {
  return async ({ method, url, host, accept, authorization }) => {
    if (!isOurName(host))
      return text(421, 'this host name is not one of the agent; call it by its IP address, or add the name to http.hostNames\n');
    const [path = '/', query = ''] = url.split('?', 2);
    const route = routes.get(path);
    if (route === undefined) return text(404, 'not found\n');
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
    return (await route.guard?.(authorization)) ?? (await route.answer({ accept, query }));
  };
}
