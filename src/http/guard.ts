import { text, type Answer, type Route } from './answers.ts';

/** Who may have something, by the API server's word. */
export interface Reviewer {
  /** Throws where the API server cannot be asked. */
  readonly review: (token: string) => Promise<'allowed' | 'unauthenticated' | 'forbidden'>;
}

/** Lets those pass whose bearer token the reviewer allows. */
export function createGuard({ review }: Reviewer, onFailure: (error: unknown) => void): Route['guard'] {
  return async (authorization) => {
    const token = /^bearer +([\w~+/.-]+=*)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return unauthorized('a bearer token is needed\n');
    try {
      const verdict = await review(token);
      if (verdict === 'unauthenticated') return unauthorized('the API server does not know this token\n');
      return verdict === 'allowed'
        ? undefined
        : text(403, 'the holder of this token may not see this; docs/security.md says which right it takes\n');
    } catch (error) {
      onFailure(error);
      return text(503, 'the API server cannot be asked whether you may see this\n', { 'retry-after': '5' });
    }
  };
}

function unauthorized(body: string): Answer {
  return text(401, body, { 'www-authenticate': 'Bearer' });
}
