/** Where the chart writes the namespace of the agent's pod. */
export const NAMESPACE_VARIABLE = 'POD_NAMESPACE';

/** The namespace of our service account; undefined outside a pod. */
export function ownNamespace(): string | undefined {
  return process.env[NAMESPACE_VARIABLE];
}
