/** What all panels share: the data source, the choice of nodes, how a query and its panel look. Plain data in, Grafana's builders out. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { coloursOf } from './colours.ts';

export const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The chosen nodes. A label `cluster` that no series has matches as well. */
export const CHOSEN = 'cluster=~"$cluster", node=~"$node"';

export interface Query {
  readonly expr: string;
  /** Grafana's legend, with `{{label}}`; in a table the name of the column. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: number;
  /** Default 8; stats 4. */
  readonly height?: number;
  /** From this value on the number is red. */
  readonly redFrom?: number;
  /** A stat that shows the name of its series instead of the value 1. */
  readonly showsName?: true;
  /** What stands there where no series is. */
  readonly whenEmpty?: string;
}

const HELD = `sum by (cluster, node) (basekeeper_base_files{${CHOSEN}, state="held"}) > 0`;
/** These close the gate of a node that has nothing to remove as well, and say nothing then. */
const ONLY_WHERE_HELD = 'ConsistentListMissing|EmptyInventory';

/** Files that are removable and stay because the gate is closed; 0 where there is none. */
export const HELD_FILES = `sum(basekeeper_base_files{${CHOSEN}, state="held"}) or vector(0)`;
export const NODES_THAT_HOLD = `count(${HELD}) or vector(0)`;
/** 0 or 1 for each node and reason. */
export const GATES = `max by (cluster, node, reason) (basekeeper_gate_closed{${CHOSEN}, reason!~"${ONLY_WHERE_HELD}"})`;
/** 1 for those reasons that hold something back. */
export const GATES_THAT_HOLD = `max by (cluster, node, reason) (basekeeper_gate_closed{${CHOSEN}, reason=~"${ONLY_WHERE_HELD}"}) == 1 and on (cluster, node) ${HELD}`;
export const CLOSED_GATES = `${GATES} == 1 or ${GATES_THAT_HOLD}`;
export const FINDINGS = `max by (cluster, node, type) (basekeeper_findings{${CHOSEN}}) > 0`;
/** What a chart shows beside GATES: it has no data where nothing is held. */
export const HOLDING_BY_REASON = `sum by (reason) (${GATES_THAT_HOLD})`;

/** Queries that have no data when all is well; a test holds all others to have some. */
export const NORMALLY_EMPTY: ReadonlySet<string> = new Set([CLOSED_GATES, FINDINGS, HOLDING_BY_REASON]);

function dataQuery({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(DATA_SOURCE)
    .refId(String.fromCodePoint(65 + index))
    .expr(expr)
    .legendFormat(legend);
}

/** One number, or few, as of now. */
export function stat(spec: PanelSpec): Builder<Panel> {
  const steps = [{ value: null, color: 'green' }, ...(spec.redFrom === undefined ? [] : [{ value: spec.redFrom, color: 'red' }])];
  const panel = new StatBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATA_SOURCE)
    .unit(spec.unit)
    .span(spec.width)
    .height(spec.height ?? 4)
    .colorMode(spec.redFrom === undefined ? common.BigValueColorMode.None : common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(spec.showsName === true ? common.BigValueTextMode.Name : common.BigValueTextMode.Value)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .targets(spec.queries.map((query, index) => dataQuery(query, index).instant()));
  return spec.whenEmpty === undefined ? panel : panel.noValue(spec.whenEmpty);
}

/** Lines over time; stacked where the parts make a whole. */
export function lines(spec: PanelSpec & { readonly stacked?: true }): Builder<Panel> {
  const panel = new TimeseriesBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATA_SOURCE)
    .unit(spec.unit)
    .span(spec.width)
    .height(spec.height ?? 8)
    .min(0)
    .fillOpacity(spec.stacked === true ? 40 : 8)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .stacking(new common.StackingConfigBuilder().mode(spec.stacked === true ? common.StackingMode.Normal : common.StackingMode.None))
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .targets(spec.queries.map((query, index) => dataQuery(query, index).range()));
  for (const [name, fixedColor] of spec.queries.flatMap(({ legend }) => coloursOf(legend)))
    panel.overrideByName(name, [{ id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor } }]);
  return spec.whenEmpty === undefined ? panel : panel.noValue(spec.whenEmpty);
}

/** A heading over the panels that follow it. */
export function row(title: string): RowBuilder {
  return new RowBuilder(title);
}

/** One row per node (or source), one column per query, joined by their labels. */
export function table(
  spec: PanelSpec & {
    /** Title of a label's column; labels that are not named are hidden. */
    readonly labels: Readonly<Record<string, string>>;
    /** Units of columns that differ from the panel's. */
    readonly units?: Readonly<Record<string, string>>;
    readonly sortBy: string;
  },
): Builder<Panel> {
  const several = spec.queries.length > 1;
  const valueColumns = spec.queries.map(({ legend }, index) => [several ? `Value #${String.fromCodePoint(65 + index)}` : 'Value', legend]);
  const panel = new TableBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATA_SOURCE)
    .unit(spec.unit)
    .span(spec.width)
    .height(spec.height ?? 8)
    .sortBy([new common.TableSortByFieldStateBuilder().displayName(spec.sortBy).desc(true)])
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: { excludeByName: { Time: true }, renameByName: { ...spec.labels, ...Object.fromEntries(valueColumns) } },
    })
    .targets(spec.queries.map((query, index) => dataQuery(query, index).instant().format(PromQueryFormat.Table)));
  for (const [column, unit] of Object.entries(spec.units ?? {})) panel.overrideByName(column, [{ id: 'unit', value: unit }]);
  if ('node' in spec.labels) panel.overrideByName(spec.labels['node'] ?? '', [{ id: 'links', value: [LINK_TO_NODE] }]);
  return spec.whenEmpty === undefined ? panel : panel.noValue(spec.whenEmpty);
}

/** When base files were removed, on every chart. */
export const REMOVALS = `sum by (cluster, node) (increase(basekeeper_removed_files_total{${CHOSEN}}[5m])) > 0`;

function removals(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Removals')
    .datasource(DATA_SOURCE)
    .enable(true)
    .iconColor('red')
    .expr(REMOVALS)
    .step('5m')
    .titleFormat('Base files removed')
    .textFormat('{{node}}')
    .tagKeys('node');
}

const LINK_TO_NODE = {
  title: 'Open this node',
  url: '/d/basekeeper-node?var-datasource=${datasource}&var-cluster=${__data.fields.Cluster}&var-node=${__value.raw}&${__url_time_range}',
};

/** A dashboard without panels: its variables, and the way to the other one. */
export function dashboard(options: {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly other: { readonly uid: string; readonly title: string };
  readonly severalNodes: boolean;
}): DashboardBuilder {
  const source = new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
  const cluster = chooser('cluster', 'Cluster', 'label_values(basekeeper_build_info, cluster)').includeAll(true).allValue('.*').multi(true);
  const node = chooser('node', 'Node', 'label_values(basekeeper_build_info{cluster=~"$cluster"}, node)');
  return new DashboardBuilder(options.title)
    .uid(options.uid)
    .description(options.description)
    .tags(['basekeeper'])
    .timezone('browser')
    .refresh('1m')
    .time({ from: 'now-24h', to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .annotation(removals())
    .withVariable(source)
    .withVariable(cluster)
    .withVariable(options.severalNodes ? node.includeAll(true).allValue('.+').multi(true) : node)
    .link(
      new DashboardLinkBuilder(options.other.title)
        .type(DashboardLinkType.Link)
        .url(`/d/${options.other.uid}?\${datasource:queryparam}&\${cluster:queryparam}`)
        .keepTime(true),
    );
}

function chooser(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATA_SOURCE)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}
