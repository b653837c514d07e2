import { configurationDoc } from './configuration-doc.ts';
import { eventsDoc } from './events-doc.ts';
import { metricsDoc } from './metrics-doc.ts';
import { performanceDoc } from './performance-doc.ts';

/** Every document that is made from the code: path from the root, and its text. */
export const GENERATED_DOCS: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configurationDoc,
  'docs/events.md': eventsDoc,
  'docs/metrics.md': metricsDoc,
  'docs/performance.md': performanceDoc,
};
