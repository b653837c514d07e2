import type { Report } from '../../src/model/report.ts';
import { createHttpServer, type HttpServerOptions } from '../../src/http/server.ts';
import { createMetrics } from '../../src/report/metrics/metrics.ts';
import { memoryLogger } from './memory-kube.ts';
import { AGENT } from './report-pages.ts';

/** What the probes answer; undefined is well. */
interface Health {
  readonly unhealthy: string | undefined;
  readonly unready: string | undefined;
}

export interface ReportServer {
  readonly url: string;
  readonly port: number;
  readonly logger: ReturnType<typeof memoryLogger>;
  /** What it shows from now on. */
  show(report: Report | undefined): void;
  setHealth(health: Health): void;
  close(): Promise<void>;
}

/** The real server on loopback, with whatever report and health a test gives it. */
export async function startReportServer(over: Partial<HttpServerOptions> = {}): Promise<ReportServer> {
  const logger = memoryLogger();
  let report: Report | undefined;
  let health: Health = { unhealthy: undefined, unready: undefined };
  const server = createHttpServer({
    address: '127.0.0.1',
    port: 0,
    logger,
    metrics: createMetrics({ version: '1.2.3', processMetrics: false }),
    probes: { unhealthy: () => health.unhealthy, unready: () => health.unready },
    report: () => report,
    agent: () => AGENT,
    switches: { report: true, statusPage: true },
    ...over,
  });
  const { port } = await server.start();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    logger,
    show: (it) => void (report = it),
    setHealth: (it) => void (health = it),
    close: () => server.close(),
  };
}
