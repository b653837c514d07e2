import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeAccess } from '../helpers/kube-server.ts';

export const NODE = 'node-a';
const OTHER_NODE = 'node-b';
const NAMESPACE = 'vms';

export type Kind = 'pod' | 'vmi';

const COLLECTIONS: Readonly<Record<Kind, string>> = {
  pod: `/api/v1/namespaces/${NAMESPACE}/pods`,
  vmi: `/apis/kubevirt.io/v1/namespaces/${NAMESPACE}/virtualmachineinstances`,
};
const ATTEMPTS = 20;

/** What anyone who runs VMs tells the API server: not by way of the faults that the agent meets. */
export class Api {
  /** Objects created, changed and deleted. */
  readonly counts = { created: 0, changed: 0, deleted: 0 };
  readonly #access: KubeAccess;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(access: KubeAccess) {
    this.#access = access;
  }

  async prepare(): Promise<void> {
    await this.send('POST', '/api/v1/nodes', { metadata: { name: NODE } });
    await this.send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  }

  async create(kind: Kind, name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.send('POST', COLLECTIONS[kind], kind === 'pod' ? podOf(name, annotations) : vmiOf(name, annotations));
    this.counts.created++;
  }

  async annotate(kind: Kind, name: string, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#patch(kind, name, { metadata: { annotations } });
  }

  /** One step of a live migration away from the node, as virt-controller and virt-handler take them, and back. */
  async migrate(name: string, step: 'begin' | 'flip' | 'end'): Promise<void> {
    const labels = {
      begin: { 'kubevirt.io/nodeName': OTHER_NODE, 'kubevirt.io/migrationTargetNodeName': NODE },
      flip: { 'kubevirt.io/nodeName': NODE },
      end: { 'kubevirt.io/migrationTargetNodeName': null },
    }[step];
    await this.#patch('vmi', name, { metadata: { labels } });
  }

  async delete(kind: Kind, name: string): Promise<void> {
    await this.send('DELETE', `${COLLECTIONS[kind]}/${name}?gracePeriodSeconds=0`);
    this.counts.deleted++;
  }

  async send(method: string, path: string, body?: object): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const { status, answer } = await this.#once(method, path, body).catch((error: unknown) => ({ status: 0, answer: String(error) }));
      // An attempt whose answer was lost may have succeeded.
      const wasThere = (method === 'DELETE' && status === 404) || (method === 'POST' && status === 409);
      if (wasThere || (status >= 200 && status < 300)) return JSON.parse(answer) as unknown;
      if (attempt === ATTEMPTS || (status >= 400 && status < 500 && status !== 429))
        throw new Error(`${method} ${path}: ${status} ${answer}`);
      await sleep(50 * attempt);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #patch(kind: Kind, name: string, body: object): Promise<void> {
    await this.send('PATCH', `${COLLECTIONS[kind]}/${name}`, body);
    this.counts.changed++;
  }

  async #once(method: string, path: string, body: object | undefined): Promise<{ status: number; answer: string }> {
    const { caPem, certPem, keyPem, server } = this.#access.rest;
    const headers = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
    return await new Promise((resolve, reject) => {
      const sent = request(new URL(path, server), { method, headers, agent: this.#agent, ca: caPem, cert: certPem, key: keyPem });
      sent.on('error', reject);
      sent.on('response', (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, answer }), reject);
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

function podOf(name: string, annotations: Readonly<Record<string, string>>): object {
  return {
    metadata: { name, annotations },
    spec: {
      nodeName: NODE,
      // Only a pod that may reach the host's directories is believed.
      volumes: [{ name: 'host', hostPath: { path: '/' } }],
      containers: [{ name: 'vm', image: 'vm', volumeMounts: [{ name: 'host', mountPath: '/host' }] }],
      automountServiceAccountToken: false,
    },
  };
}

function vmiOf(name: string, annotations: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: { name, annotations, labels: { 'kubevirt.io/nodeName': NODE } },
    spec: { domain: { devices: {} }, volumes: [] },
  };
}
