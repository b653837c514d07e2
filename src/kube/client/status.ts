import { KubeApiError } from '../errors.ts';
import { asNumber, asText, at, field } from '../../lib/json.ts';

/** The error that a `metav1.Status` object stands for: a failed request's body, or the object of an ERROR event. */
export function statusError(
  what: string,
  status: unknown,
  http: { readonly status?: number | undefined; readonly retryAfter?: string | undefined },
): KubeApiError {
  const code = http.status ?? asNumber(field(status, 'code'));
  const reason = asText(field(status, 'reason')) ?? (code === undefined ? 'Unknown' : String(code));
  const message = asText(field(status, 'message')) ?? reason;
  const after = parseRetryAfter(http.retryAfter) ?? asNumber(at(status, 'details', 'retryAfterSeconds'));
  return new KubeApiError({ status: code, reason, message: `${what}: ${message}`, retryAfterSeconds: after });
}

/** Seconds of a `Retry-After` header; the API server never uses its date form, which is ignored. */
export function parseRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
