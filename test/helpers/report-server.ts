import type { Report } from '../../src/model/report.ts';
import { createDoor, type DoorOptions } from '../../src/http/door.ts';
import { createMetrics } from '../../src/report/metrics/metrics.ts';
import { memoryLogger } from './memory-kube.ts';
import { AGENT } from './report-pages.ts';

/** What the probes answer; undefined is well. */
interface Health {
  readonly unhealthy: string | undefined;
  readonly unready: string | undefined;
}

export interface ReportServer {
  /** Of the loopback, where everything is answered. */
  readonly url: string;
  readonly port: number;
  /** Of the port that Prometheus scrapes. */
  readonly networkPort: number;
  readonly logger: ReturnType<typeof memoryLogger>;
  /** What it shows from now on. */
  show(report: Report | undefined): void;
  setHealth(health: Health): void;
  close(): Promise<void>;
}

/** The real door on loopback, with whatever report and health a test gives it. */
export async function startReportServer(over: Partial<DoorOptions> = {}): Promise<ReportServer> {
  const logger = memoryLogger();
  let report: Report | undefined;
  let health: Health = { unhealthy: undefined, unready: undefined };
  const door = createDoor({
    address: '127.0.0.1',
    port: 0,
    pagesPort: 0,
    hostNames: [],
    logger,
    metrics: createMetrics({ version: '1.2.3', processMetrics: false }),
    probes: { unhealthy: () => health.unhealthy, unready: () => health.unready },
    report: () => report,
    agent: () => AGENT,
    switches: { report: true, statusPage: true },
    ...over,
  });
  const { port: networkPort, pagesPort: port = networkPort } = await door.start();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    networkPort,
    logger,
    show: (it) => void (report = it),
    setHealth: (it) => void (health = it),
    close: () => door.close(),
  };
}
