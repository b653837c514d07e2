import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { METRICS, type MetricDefinition, type MetricName } from './definitions.ts';

type NamesOf<T extends MetricDefinition['type']> = { [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never }[MetricName];

/** Every metric of the list, made and registered. */
export interface MetricSet {
  gauge(name: NamesOf<'gauge'>): Gauge;
  counter(name: NamesOf<'counter'>): Counter;
  histogram(name: NamesOf<'histogram'>): Histogram;
}

export function createMetricSet(registry: Registry): MetricSet {
  const gauges = new Map<string, Gauge>();
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
    const { help, labels: labelNames, buckets = [] } = definition;
    const options = { name, help, labelNames, registers: [registry] };
    if (definition.type === 'gauge') gauges.set(name, new Gauge(options));
    else if (definition.type === 'counter') counters.set(name, new Counter(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...buckets] }));
  }
  return { gauge: finder(gauges), counter: finder(counters), histogram: finder(histograms) };
}

function finder<T>(metrics: ReadonlyMap<string, T>): (name: string) => T {
  return (name) => {
    const metric = metrics.get(name);
    if (metric === undefined) throw new Error(`no metric is named ${name}`);
    return metric;
  };
}
