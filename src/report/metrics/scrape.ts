import { Registry, type Metric, type OpenMetricsContentType } from 'prom-client';

export interface Scrape {
  readonly contentType: string;
  readonly body: string;
}

/** Renders the registry in the format that the Accept header prefers. */
export async function scrape(registry: Registry, accept: string | undefined): Promise<Scrape> {
  if (!prefersOpenMetrics(accept)) return { contentType: registry.contentType, body: await registry.metrics() };
  const open = new Registry<OpenMetricsContentType>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of registry.getMetricsAsArray()) open.registerMetric(shadowOf(metric as unknown as Metric));
  return { contentType: open.contentType, body: await open.metrics() };
}

/** prom-client takes `_total` off a counter's own name when it renders OpenMetrics: let it do that to a shadow of the metric. */
function shadowOf(metric: Metric): Metric {
  return Object.create(metric) as Metric;
}

/** By the quality values of RFC 9110; a tie goes to OpenMetrics, as Prometheus itself lists it first. */
function prefersOpenMetrics(accept: string | undefined): boolean {
  const ranges = (accept ?? '').split(',').map(parseRange);
  const best = (types: readonly string[]): number =>
    Math.max(0, ...ranges.filter(({ type, isSupported }) => isSupported && types.includes(type)).map(({ quality }) => quality));
  const open = best(['application/openmetrics-text']);
  return open > 0 && open >= best(['text/plain']);
}

/** OpenMetrics exists in version 1.0.0 (and 0.0.1, which we do not speak). */
function parseRange(range: string): { type: string; isSupported: boolean; quality: number } {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const valueOf = (name: string): string | undefined => parameters.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1);
  const quality = Number(valueOf('q') ?? '1');
  const version = valueOf('version');
  const isSupported = type !== 'application/openmetrics-text' || version === undefined || version === '1.0.0';
  return { type, isSupported, quality: Number.isFinite(quality) ? quality : 0 };
}
