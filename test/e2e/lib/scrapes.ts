/** Scrapes as Prometheus would with a PodMonitor: every agent pod that runs, again and again. */
import type { Session } from './session.ts';

export interface Scrapes {
  /** How many rounds there were, and in how many of them no pod answered. */
  stop(): Promise<{ readonly taken: number; readonly missed: number }>;
}

export function watchScrapes(session: Session, port: number): Scrapes {
  const stopped = new AbortController();
  const result = { taken: 0, missed: 0 };
  const answers = async (pod: string): Promise<boolean> => {
    try {
      return (await session.agentGet(pod, port, '/metrics')).includes('basekeeper_build_info{');
    } catch {
      // It is starting or has just stopped: another pod must answer then.
      return false;
    }
  };
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      const pods = await session.agentPods();
      const round = await Promise.all(
        pods.filter(({ status }) => status?.phase === 'Running').map(async ({ metadata }) => answers(metadata.name)),
      );
      result.taken += 1;
      if (!round.includes(true)) result.missed += 1;
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await loop;
      return result;
    },
  };
}
