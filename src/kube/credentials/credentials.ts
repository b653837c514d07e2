import type { Agent } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { KubeConfigLoader } from './config.ts';
import { KubeApiError } from '../errors.ts';

/** What TLS needs: read again for every connection, so that rotated files are picked up. */
export type TlsMaterial = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'servername' | 'rejectUnauthorized'>;

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
  /** Set where the kubeconfig names a proxy: requests then go through it by HTTP/1.1. */
  readonly proxyAgent: Agent | undefined;
}

export interface CredentialSource {
  /** The server's URL; may have a path, as behind Rancher. */
  readonly server: URL;
  /** Tokens from files are read again every minute. Throws `KubeApiError` (`CredentialsUnavailable`). */
  current(): Promise<Credentials>;
  /** Forgets what was read, cached tokens too: for use after a 401. */
  reload(): void;
}

/** Takes credentials, TLS and proxy from a KubeConfig; nothing else of client-node is used. Throws when it has no current cluster. */
export function createCredentialSource(load: KubeConfigLoader): CredentialSource {
  let live: KubeConfig | undefined = load();
  const cluster = live.getCurrentCluster();
  if (cluster === null) throw new Error(`the kubeconfig has no cluster for its current context "${live.getCurrentContext()}"`);
  return {
    server: new URL(cluster.server),
    reload: () => {
      live = undefined;
    },
    current: async () => {
      const options: RequestOptions = { headers: {} };
      try {
        live ??= load();
        await live.applyToHTTPSOptions(options);
      } catch (error) {
        const message = 'the credentials of the kubeconfig cannot be used';
        throw new KubeApiError({ reason: 'CredentialsUnavailable', message, cause: error });
      }
      return {
        headers: authorization(options),
        tls: tlsMaterial(options),
        proxyAgent: cluster.proxyUrl === undefined || cluster.proxyUrl === '' ? undefined : (options.agent as Agent),
      };
    },
  };
}

function authorization(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token file may end in a line break, which no header may hold.
    if (typeof value === 'string') headers[name.toLowerCase()] = value.trim();
  }
  if (typeof options.auth === 'string') headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}

function tlsMaterial(options: RequestOptions): TlsMaterial {
  const material: Record<string, unknown> = {};
  for (const key of ['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized'] as const) {
    if (options[key] !== undefined && options[key] !== null) material[key] = options[key];
  }
  return material;
}
