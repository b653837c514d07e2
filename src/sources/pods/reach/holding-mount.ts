import { posix } from 'node:path';
import { matchesLabels } from '../../../model/label-selector.ts';
import type { Policy } from '../../../model/policy.ts';
import type { KnownAgent } from '../../../model/workload-rule.ts';
import { isBelow, overlaps } from '../../host-paths.ts';
import type { HostView } from '../claims/volume-path.ts';
import type { ReachedPath } from './mounts.ts';

export interface ReachRules extends HostView {
  readonly knownAgents: readonly KnownAgent[];
  /** What protects a disk that a pod uses beyond what the pod says: only with both on is reading from far above harmless. */
  readonly policy: Pick<Policy, 'liveUseCheck' | 'overlays'>;
}

/** The first path by which a pod reaches the instances path in a way that it has to explain. */
export function holdingPath(
  reached: readonly ReachedPath[],
  labels: ReadonlyMap<string, string>,
  rules: ReachRules,
): ReachedPath | undefined {
  const { liveUseCheck, overlays } = rules.policy;
  const readingIsHarmless = liveUseCheck && overlays === 'all';
  const agents = rules.knownAgents.filter(({ selector }) => matchesLabels(selector, labels));
  return reached.find((part) => {
    if (!overlaps(part.path, rules.instancesPath)) return false;
    if (!isFarAbove(part, rules.instancesPath)) return true;
    if (part.readOnly && readingIsHarmless) return false;
    return !agents.some(({ hostPaths }) => hostPaths.includes(part.path));
  });
}

/** True for what is mounted at, below or right above the instances path: nobody does that by chance. */
export function isNear(part: ReachedPath, instancesPath: string): boolean {
  return overlaps(part.path, instancesPath) && !isFarAbove(part, instancesPath);
}

function isFarAbove({ path, anywhere }: ReachedPath, instancesPath: string): boolean {
  if (anywhere || !isBelow(instancesPath, path)) return false;
  return path === '/' || path !== posix.dirname(instancesPath);
}
