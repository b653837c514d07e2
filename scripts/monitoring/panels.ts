/** The panels of a dashboard as the test and the pictures need them: what they ask, and with what in place of Grafana's variables. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

export interface PanelQuery {
  readonly refId: string;
  readonly expr: string;
  readonly legend: string;
  readonly instant: boolean;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: 'stat' | 'table' | 'timeseries';
  readonly unit: string;
  readonly grid: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly queries: readonly PanelQuery[];
  readonly noValue: string | undefined;
  readonly stacked: boolean;
  /** From this value on a stat is red. */
  readonly redFrom: number | undefined;
  /** A stat that shows the series' name instead of its value. */
  readonly showsName: boolean;
  /** Of a table: label or value column → title. */
  readonly columns: Readonly<Record<string, string>>;
  /** Of a table: title of a column → unit. */
  readonly units: Readonly<Record<string, string>>;
  /** Of a chart: series → the colour that it always has. */
  readonly colours: Readonly<Record<string, string>>;
  /** What the legend says of each series beside its name. */
  readonly legendValues: readonly string[];
}

/** A heading over panels. */
export interface Row {
  readonly title: string;
  readonly y: number;
}

export function rowsOf(dashboard: Dashboard): Row[] {
  return (dashboard.panels ?? []).filter((it) => it.type === 'row').map((it) => ({ title: it.title ?? '', y: it.gridPos?.y ?? 0 }));
}

export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? [])
    .filter((it) => it.type !== 'row')
    .map((it) => {
      if (!('targets' in it)) throw new Error(`a panel without queries: ${JSON.stringify(it)}`);
      const { defaults, overrides } = it.fieldConfig ?? { defaults: {}, overrides: [] };
      const custom = (defaults.custom ?? {}) as { readonly stacking?: { readonly mode?: string } };
      const organize = it.transformations?.find(({ id }) => id === 'organize')?.options as
        | { renameByName?: Record<string, string> }
        | undefined;
      const units = overrides.flatMap(({ matcher, properties }) =>
        properties.filter(({ id }) => id === 'unit').map(({ value }) => [String(matcher.options), String(value)] as const),
      );
      const colours = overrides.flatMap(({ matcher, properties }) =>
        properties
          .filter(({ id }) => id === 'color')
          .map(({ value }) => [String(matcher.options), (value as { fixedColor: string }).fixedColor] as const),
      );
      return {
        title: it.title ?? '',
        description: it.description ?? '',
        type: it.type as Panel['type'],
        unit: defaults.unit ?? '',
        grid: it.gridPos ?? { x: 0, y: 0, w: 24, h: 8 },
        queries: (it.targets ?? []).map((target) => queryOf(target as unknown as Target)),
        noValue: defaults.noValue,
        redFrom: defaults.thresholds?.steps.find(({ color }) => color === 'red')?.value ?? undefined,
        stacked: custom.stacking?.mode === 'normal',
        showsName: (it.options as { textMode?: string } | undefined)?.textMode === 'name',
        columns: organize?.renameByName ?? {},
        units: Object.fromEntries(units),
        colours: Object.fromEntries(colours),
        legendValues: (it.options as { legend?: { calcs?: string[] } } | undefined)?.legend?.calcs ?? [],
      };
    });
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly instant?: boolean;
}

function queryOf({ refId, expr, legendFormat, instant }: Target): PanelQuery {
  return { refId, expr, legend: legendFormat, instant: instant === true };
}

/** As Grafana would: `node` and `cluster` are regular expressions. */
export function interpolate(expr: string, variables: Readonly<Record<'node' | 'cluster' | 'range' | 'rateInterval', string>>): string {
  const text = expr
    .replaceAll('$cluster', variables.cluster)
    .replaceAll('$node', variables.node)
    .replaceAll('$__range', variables.range)
    .replaceAll('$__rate_interval', variables.rateInterval);
  if (text.includes('$')) throw new Error(`unknown variable in ${text}`);
  return text;
}
