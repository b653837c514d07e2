import { sleep } from '../../lib/sleep.ts';
import type { ValuesOf } from '../completion/complete.ts';
import { MODES } from './commands/mode.ts';
import type { KubectlContext } from './context.ts';

/** Somebody waits at a prompt. */
const PATIENCE_MS = 3000;

/** Nodes of the cluster and modes, for the arguments that are called so. A cluster that does not answer has none. */
export function valuesFrom({ connect }: KubectlContext): ValuesOf {
  const nodes = async (options: ReadonlyMap<string, string>): Promise<readonly string[]> => {
    const [kubeconfig, context] = [options.get('--kubeconfig'), options.get('--context')];
    const fleet = await connect({ ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) });
    const listing = new AbortController();
    try {
      const listed = fleet.statuses(undefined).then((statuses) => statuses.map(({ node }) => node));
      return await Promise.race([listed, sleep(PATIENCE_MS, listing.signal).then(() => [])]);
    } finally {
      listing.abort();
      fleet.close();
    }
  };
  return async (argument, options) => {
    const modes = argument === 'nodes-and-mode' ? MODES : [];
    const selected = options.has('--all') || options.has('--selector');
    if (selected || !['node', 'nodes', 'nodes-and-mode'].includes(argument)) return modes;
    return [...modes, ...(await nodes(options).catch(() => []))];
  };
}
