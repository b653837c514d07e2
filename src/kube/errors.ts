const MAX_MESSAGE_LENGTH = 1000;

/** What went wrong between us and the API server. `reason` is the server's (`Forbidden`, `Expired`, …) or one of `KubeFailure`. */
type KubeFailure =
  /** No connection, or it broke. */
  | 'ConnectionFailed'
  /** No answer, or no data on a watch, within the time allowed. */
  | 'Timeout'
  /** The answer is not JSON, no object of the kind asked for, or too large. */
  | 'InvalidResponse'
  /** The caller's signal aborted the request. */
  | 'Aborted'
  /** The client was closed. */
  | 'Closed'
  /** Nothing answers on the port of the pod. */
  | 'PortForwardFailed'
  /** The kubeconfig's credentials cannot be read. */
  | 'CredentialsUnavailable';

/** An answer other than 2xx, or none at all (`status` undefined). */
export class KubeApiError extends Error {
  override readonly name = 'KubeApiError';
  readonly status: number | undefined;
  readonly reason: string;
  /** From the `Retry-After` header or the Status object. */
  readonly retryAfterSeconds: number | undefined;

  constructor(failure: {
    readonly status?: number | undefined;
    readonly reason: KubeFailure | (string & Record<never, never>);
    readonly message: string;
    readonly retryAfterSeconds?: number | undefined;
    readonly cause?: unknown;
  }) {
    super(failure.message.slice(0, MAX_MESSAGE_LENGTH), failure.cause === undefined ? undefined : { cause: failure.cause });
    this.status = failure.status;
    this.reason = failure.reason;
    this.retryAfterSeconds = failure.retryAfterSeconds;
  }
}

/** An error of the network, of TLS or of HTTP/2, as a `KubeApiError`; one that is a `KubeApiError` already stays itself. */
export function connectionError(what: string, cause: unknown): KubeApiError {
  if (cause instanceof KubeApiError) return cause;
  return new KubeApiError({ reason: 'ConnectionFailed', message: what, cause });
}
