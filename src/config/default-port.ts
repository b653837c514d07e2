/** Where the agent serves metrics and probes unless the configuration says otherwise. */
export const DEFAULT_PORT = 9817;

/** Where it serves status page and report, on loopback, unless the configuration says otherwise: agents with ports of their own do not meet. */
export function pagesPortAfter(port: number): number {
  if (port === 0) return 0;
  return port === 65_535 ? port - 1 : port + 1;
}
