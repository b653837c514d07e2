/** What the admission policies let an agent write, out of the code that writes it: charts/basekeeper/files/admission.yaml. */
import { stringify } from 'yaml';
import { AGENT_ANNOTATIONS } from '../../src/model/annotation-keys.ts';
import { ANNOTATIONS_MAX_BYTES } from '../../src/report/node/annotations.ts';
import { EVENT_REASONS } from '../../src/report/events/reasons.ts';

export function admissionFile(): string {
  const reasons = Object.entries(EVENT_REASONS);
  const facts = {
    annotations: AGENT_ANNOTATIONS,
    annotationMaxCharacters: ANNOTATIONS_MAX_BYTES,
    // Twice what it writes: a policy that is too tight would leave the node with what an older agent wrote.
    annotationsMaxCharacters: 2 * ANNOTATIONS_MAX_BYTES,
    // Reason → type and action.
    events: Object.fromEntries(reasons.map(([reason, { type, action }]) => [reason, `${type} ${action}`])),
    // Those that are also about objects other than the Node.
    objectEvents: reasons.filter(([, { regarding }]) => regarding !== 'Node').map(([reason]) => reason),
  };
  return `# Generated from src: npm run generate:chart\n${stringify(facts)}`;
}
