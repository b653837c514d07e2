/** Of which dashboards docs/images has pictures: a test compares it with the dashboards of the chart, so that a new panel needs new pictures. */
import { createHash } from 'node:crypto';
import { dashboardFiles } from '../../dashboards/all.ts';

export const PICTURED_FILE = 'docs/images/dashboards.sha256';

/** As `sha256sum` prints them, run in charts/basekeeper/dashboards. */
export function picturedDashboards(): string {
  return [...dashboardFiles()].map(([name, json]) => `${createHash('sha256').update(json).digest('hex')}  ${name}\n`).join('');
}
