import { createHash } from 'node:crypto';
import { asObject, asText, at } from '../lib/json.ts';
import { systemClock } from '../lib/clock.ts';
import type { Clock } from '../model/ports.ts';
import type { KubeClient } from './types.ts';

/** What somebody wants, as a SubjectAccessReview asks about it. */
export type Wanted =
  | { readonly nonResourceAttributes: { readonly path: string; readonly verb: 'get' } }
  | {
      readonly resourceAttributes: {
        readonly group: string;
        readonly resource: string;
        readonly name: string;
        readonly namespace?: string | undefined;
        readonly verb: 'get';
      };
    };

export type AccessVerdict = 'allowed' | 'unauthenticated' | 'forbidden';

export interface AccessReviewOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly wanted: Wanted;
  readonly clock?: Clock | undefined;
}

const TIMEOUT_MS = 5000;
/** A right that was taken away counts no longer after this. */
const ALLOWED_MS = 60_000;
const REFUSED_MS = 10_000;
const MOST_REMEMBERED = 256;
const MOST_AT_ONCE = 8;

export interface AccessReview {
  /** Throws where the API server cannot be asked, or is asked too much already. */
  readonly review: (token: string) => Promise<AccessVerdict>;
}

/** Asks the API server who holds a token (TokenReview) and whether they may (SubjectAccessReview); remembers the answer for a while. */
export function createAccessReview({ client, wanted, clock = systemClock }: AccessReviewOptions): AccessReview {
  const remembered = new Map<string, { readonly verdict: AccessVerdict; readonly untilMs: number }>();
  const asking = new Map<string, Promise<AccessVerdict>>();
  const remember = (key: string, verdict: AccessVerdict): AccessVerdict => {
    const untilMs = clock.now().monotonicMs + (verdict === 'allowed' ? ALLOWED_MS : REFUSED_MS);
    remembered.delete(key);
    remembered.set(key, { verdict, untilMs });
    const [oldest] = remembered.keys();
    if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return verdict;
  };
  return {
    review: async (token) => {
      const key = createHash('sha256').update(token).digest('base64');
      const known = remembered.get(key);
      if (known !== undefined && clock.now().monotonicMs < known.untilMs) return known.verdict;
      let answer = asking.get(key);
      if (answer === undefined) {
        if (asking.size >= MOST_AT_ONCE) throw new Error('too many tokens are being reviewed already');
        answer = ask(client, token, wanted).finally(() => asking.delete(key));
        asking.set(key, answer);
      }
      return remember(key, await answer);
    },
  };
}

async function ask(client: Pick<KubeClient, 'request'>, token: string, wanted: Wanted): Promise<AccessVerdict> {
  const review = (path: string, kind: string, spec: object): Promise<unknown> =>
    client.request({
      method: 'POST',
      path,
      body: { apiVersion: path.split('/').slice(2, 4).join('/'), kind, spec },
      timeoutMs: TIMEOUT_MS,
    });
  const held = await review('/apis/authentication.k8s.io/v1/tokenreviews', 'TokenReview', { token });
  const user = asObject(at(held, 'status', 'user'));
  const username = asText(user?.['username']);
  if (at(held, 'status', 'authenticated') !== true || username === undefined || username === '') return 'unauthenticated';
  const { uid, groups, extra } = user ?? {};
  const spec = { user: username, uid, groups, extra, ...wanted };
  const may = await review('/apis/authorization.k8s.io/v1/subjectaccessreviews', 'SubjectAccessReview', spec);
  return at(may, 'status', 'allowed') === true ? 'allowed' : 'forbidden';
}
