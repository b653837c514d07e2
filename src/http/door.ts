import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../model/ports.ts';
import { createAnswerer, type Route } from './answers.ts';
import type { CertificateFiles } from './certificate.ts';
import { createGuard, type Reviewer } from './guard.ts';
import { createHostCheck } from './host-names.ts';
import { openRoutes, type OpenRoutes } from './open-routes.ts';
import { pageRoutes, type PageRoutes } from './page-routes.ts';
import { createListener, type HttpLimits } from './server.ts';

export interface DoorOptions extends OpenRoutes, PageRoutes {
  readonly address: string;
  readonly port: number;
  readonly pagesPort: number;
  readonly hostNames: readonly string[];
  readonly tls?: CertificateFiles | undefined;
  readonly certificateLookMs?: number | undefined;
  /** Who may scrape; absent: anyone. */
  readonly metricsReviewer?: Reviewer | undefined;
  /** Who may have the pages over the network; absent: they are on loopback only. */
  readonly pagesReviewer?: Reviewer | undefined;
  readonly logger: Logger;
  readonly limits?: Partial<HttpLimits> | undefined;
}

export interface Door {
  /** `pagesPort` is undefined where both pages are switched off. */
  start(): Promise<{ readonly port: number; readonly pagesPort: number | undefined }>;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/**
 * Metrics and probes for the network. What names images and workloads is for loopback, which `kubectl port-forward` reaches by
 * Kubernetes' own rights, and for the network only behind a reviewer.
 */
export function createDoor(options: DoorOptions): Door {
  const { pagesReviewer, logger, limits } = options;
  const isOurName = createHostCheck(options.hostNames);
  const onNetwork = new Map([
    ...openRoutes(options, guardOf(options.metricsReviewer, logger)),
    ...(pagesReviewer === undefined ? [] : pageRoutes(options, guardOf(pagesReviewer, logger))),
  ]);
  const pages = pageRoutes(options);
  const onLoopback = new Map([...openRoutes(options), ...pages]);
  const network = createListener({ ...options, answer: createAnswerer(onNetwork, isOurName), portKey: 'http.port' });
  const loopback = createListener({
    answer: createAnswerer(onLoopback, isOurName),
    address: LOOPBACK,
    port: options.pagesPort,
    portKey: 'http.pagesPort',
    logger,
    limits,
  });
  return {
    start: async () => ({
      port: (await network.start()).port,
      pagesPort: pages.size === 0 ? undefined : (await loopback.start()).port,
    }),
    close: async () => {
      await Promise.all([network.close(), loopback.close()]);
    },
  };
}

function guardOf(reviewer: Reviewer | undefined, logger: Logger): Route['guard'] {
  if (reviewer === undefined) return undefined;
  return createGuard(reviewer, (error) => logger.warn({ error: messageOf(error) }, 'the API server could not be asked about a request'));
}
