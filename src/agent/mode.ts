import { NODE_ANNOTATIONS } from '../model/annotation-keys.ts';
import type { Mode } from '../model/policy.ts';

const MODES: readonly Mode[] = ['off', 'dry-run', 'enforce'];

/** The node's annotation where it is not a mode: most likely a slip of the pen. */
export function unknownMode(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
  if (annotations === undefined || !Object.hasOwn(annotations, NODE_ANNOTATIONS.mode)) return undefined;
  const value = annotations[NODE_ANNOTATIONS.mode];
  return MODES.some((mode) => mode === value) ? undefined : value;
}

/**
 * The mode that counts: the node's annotation over the configuration. An annotation that is not a mode, and a node that has not
 * been seen yet, never lead to removals.
 */
export function effectiveMode(configured: Mode, annotations: Readonly<Record<string, string>> | undefined): Mode {
  const harmless = configured === 'off' ? 'off' : 'dry-run';
  if (annotations === undefined) return harmless;
  const wanted = Object.hasOwn(annotations, NODE_ANNOTATIONS.mode) ? annotations[NODE_ANNOTATIONS.mode] : undefined;
  if (wanted === undefined) return configured;
  return MODES.find((mode) => mode === wanted) ?? harmless;
}
