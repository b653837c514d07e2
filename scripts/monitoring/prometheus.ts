/** A real Prometheus on loopback, and its answers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../lib/free-port.ts';
import { until } from '../lib/until.ts';

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix seconds and value, oldest first; one for an instant query. */
  readonly values: readonly (readonly [seconds: number, value: number])[];
}

export interface Prometheus {
  /** Throws what Prometheus says when it does not parse. */
  query(expr: string): Promise<Series[]>;
  queryRange(
    expr: string,
    range: { readonly fromSeconds: number; readonly toSeconds: number; readonly stepSeconds: number },
  ): Promise<Series[]>;
  /** Any GET below /api/v1; `data` of the answer. */
  get(path: string, parameters?: Readonly<Record<string, string>>): Promise<unknown>;
  stop(): Promise<void>;
}

export interface Target {
  /** host:port. */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface RawSeries {
  readonly metric: Record<string, string>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

/** Scrapes the targets every second; `directory` takes configuration and data. */
export async function startPrometheus(directory: string, targets: readonly Target[], rulesFile: string): Promise<Prometheus> {
  const configPath = join(directory, 'prometheus.yaml');
  const configuration = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '5s' },
    rule_files: [rulesFile],
    scrape_configs: [{ job_name: 'basekeeper', static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })) }],
  };
  writeFileSync(configPath, stringify(configuration));
  const address = `127.0.0.1:${await freePort()}`;
  const data = `--storage.tsdb.path=${join(directory, 'data')}`;
  const child = spawn('prometheus', [`--config.file=${configPath}`, data, `--web.listen-address=${address}`, '--log.level=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  const get: Prometheus['get'] = async (path, parameters = {}) => {
    const answer = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const body = (await answer.json()) as { readonly status: string; readonly error?: string; readonly data: unknown };
    if (body.status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${body.error ?? answer.status}`);
    return body.data;
  };
  await until('Prometheus is ready', 60_000, async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
    return (await fetch(`http://${address}/-/ready`).catch(() => undefined))?.ok === true ? true : undefined;
  });
  return {
    get,
    query: async (query) => seriesOf(await get('query', { query })),
    queryRange: async (query, { fromSeconds, toSeconds, stepSeconds }) =>
      seriesOf(await get('query_range', { query, start: `${fromSeconds}`, end: `${toSeconds}`, step: `${stepSeconds}` })),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function seriesOf(data: unknown): Series[] {
  const { result } = data as { readonly result: readonly RawSeries[] };
  return result.map(({ metric, value, values }) => ({
    metric,
    values: (values ?? (value === undefined ? [] : [value])).map(([seconds, number]) => [seconds, Number(number)] as const),
  }));
}
