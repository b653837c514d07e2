import { expect } from 'vitest';
import { runKubectl } from '../../src/cli/kubectl/run.ts';
import { annotationPatch } from '../../src/report/node/annotations.ts';
import { digestOf } from '../../src/report/digest.ts';
import { createFleet } from '../../src/fleet/fleet.ts';
import type { PodReader } from '../../src/kube/types.ts';
import type { Report } from '../../src/model/report.ts';
import { recordingIo } from './command-line.ts';
import { memoryKube, type MemoryKube } from './memory-kube.ts';

/** What an agent writes to its node for this report. */
export function written(of: Report): Readonly<Record<string, string>> {
  return annotationPatch({ report: of, digest: digestOf(of), written: undefined, heartbeatSeconds: 3600 }) ?? {};
}

/** What an agent's pod says beside its name, for one that does not answer. */
export class Pod {
  readonly parts: object;
  constructor(parts: object) {
    this.parts = parts;
  }
}

/** An agent that answers to more than `/report`. Throws what the port-forward would. */
export class Answers {
  readonly to: (path: string) => unknown;
  constructor(to: (path: string) => unknown) {
    this.to = to;
  }
}

/** A cluster whose agents answer with these reports; a node without one has no agent pod. */
export function cluster(agents: Readonly<Record<string, unknown>> = {}): MemoryKube & { readonly readPod: PodReader } {
  const kube = Object.assign(memoryKube(), { readPod: podsOf(agents) });
  const request = kube.request.bind(kube);
  kube.request = async (asked) => {
    const answered = answerForAgents(agents, asked.path, asked.query?.['fieldSelector'] ?? '');
    return answered === undefined ? request(asked) : answered;
  };
  return kube;
}

function answerForAgents(agents: Readonly<Record<string, unknown>>, path: string, fieldSelector: string): unknown {
  if (path === '/api/v1/pods') {
    const node = fieldSelector.replace('spec.nodeName=', '');
    const ports = [
      { name: 'http', containerPort: 9817 },
      { name: 'pages', containerPort: 19818 },
    ];
    const pod = {
      metadata: { namespace: 'basekeeper', name: `agent-${node}`, uid: node },
      spec: { nodeName: node, containers: [{ image: 'basekeeper:1', ports }] },
      status: { phase: 'Running' },
      ...(agents[node] instanceof Pod ? agents[node].parts : {}),
    };
    const old = { metadata: { ...pod.metadata, name: 'old', uid: 'old', deletionTimestamp: '2026-11-23T14:00:00Z' } };
    return { metadata: { resourceVersion: '1' }, items: Object.hasOwn(agents, node) ? [old, pod] : [] };
  }
  return undefined;
}

/** What the agents answer on the loopback of their pods. */
function podsOf(agents: Readonly<Record<string, unknown>>): PodReader {
  return ({ namespace, name, port, path }) => {
    expect({ namespace, port }).toEqual({ namespace: 'basekeeper', port: 19818 });
    const agent = agents[name.replace('agent-', '')];
    if (!(agent instanceof Answers)) expect(path).toBe('/report');
    const answer = agent instanceof Answers ? agent.to(path) : agent;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
}

export async function kubectl(
  kube: MemoryKube & { readonly readPod?: PodReader },
  argv: readonly string[],
  world: Parameters<typeof recordingIo>[0] = {},
) {
  const { io, stdout, stderr } = recordingIo(world);
  const places: object[] = [];
  let nowMs = Date.parse('2026-11-23T14:00:00Z');
  const time = {
    clock: { now: () => ({ wallMs: nowMs, monotonicMs: nowMs }) },
    sleep: async (ms: number) => void (nowMs += ms),
  };
  const connect = async (place: object) => {
    places.push(place);
    return createFleet({ client: kube, readPod: kube.readPod ?? podsOf({}), signal: io.signal });
  };
  const code = await runKubectl(argv, { env: { NO_COLOR: '1' }, io, connect, time });
  return { code, stdout: stdout.text(), stderr: stderr.text(), places };
}
