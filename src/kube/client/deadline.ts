/** A caller's abort signal and a time limit, joined into one signal. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** True when the time limit, not the caller, ended it. */
  expired(): boolean;
  /** Starts the limit again: for an idle limit, at every sign of life. */
  restart(): void;
  /** Must be called when the work is done. */
  clear(): void;
}

export function createDeadline(limitMs: number, signal: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let expired = false;
  const onAbort = (): void => controller.abort();
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, limitMs);
  return {
    signal: controller.signal,
    expired: () => expired,
    restart: () => {
      if (!controller.signal.aborted) timer.refresh();
    },
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
