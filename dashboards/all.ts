/** The dashboards as the JSON that Grafana imports. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { fleet } from './fleet.ts';
import { node } from './node.ts';

/** File name below charts/basekeeper/dashboards → text. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['fleet.json', json(fleet.build())],
    ['node.json', json(node.build())],
  ]);
}

function json(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}
