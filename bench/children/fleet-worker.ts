/**
 * Many agents' kube side in one process: client, reflectors, reporter; the real code, no disk. Spoken to by IPC.
 * argv: JSON {server, caPem, token, first, count}.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { createKubeClient } from '../../src/kube/client/client.ts';
import { createOwnNode } from '../../src/kube/own-node.ts';
import { createReconnect } from '../../src/kube/watch/reconnect.ts';
import type { KubeClient } from '../../src/kube/types.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { at, field } from '../../src/lib/json.ts';
import { digestOf } from '../../src/report/digest.ts';
import { createKubeReporter } from '../../src/report/node/kube-reporter.ts';
import { createPodSource } from '../../src/sources/pods/source.ts';
import { createVmiSource } from '../../src/sources/vmis/source.ts';
import { plannedFile, report } from '../../test/helpers/reports.ts';
import type { FleetOrder, FleetReply, WorkerOptions } from '../lib/fleet-protocol.ts';
import { POD_RULES } from '../../test/helpers/kube-objects.ts';

const { server, caPem, token, first, count } = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
const codes: Record<string, number> = {};
const logger = { debug() {}, info() {}, warn() {}, error() {} };

function kubeConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'fleet', server, caData: Buffer.from(caPem).toString('base64'), skipTLSVerify: false },
    { name: 'fleet', token },
  );
  return config;
}

function observe(verb: string, code: string): void {
  codes[`${verb} ${code}`] = (codes[`${verb} ${code}`] ?? 0) + 1;
}

/** An API server answers a watch with 200 before it looks for its past: 410 comes as an event, and no server's counter has it. */
function countErrorEvents(client: KubeClient): KubeClient {
  return {
    ...client,
    stream: async function* (request) {
      for await (const line of client.stream(request)) {
        if (field(line, 'type') === 'ERROR') observe('event', String(at(line, 'object', 'code')));
        yield line;
      }
    },
  };
}

function createSide(nodeName: string) {
  const client = countErrorEvents(createKubeClient({ kubeConfig, userAgent: 'basekeeper/bench', observe }));
  const reconnect = createReconnect(() => systemClock.now().monotonicMs, Math.random);
  const shared = { client, nodeName, instancesPath: '/var/lib/nova/instances', clock: systemClock, random: Math.random, reconnect };
  const node = createOwnNode(shared);
  const vmis = createVmiSource(shared);
  const pods = createPodSource({ ...shared, ...POD_RULES, vmis });
  const reporter = createKubeReporter({ client, node, clock: systemClock, logger, instance: nodeName });
  return { client, node, vmis, pods, reporter, parts: [vmis, pods, node] };
}

const sides = Array.from({ length: count }, (_, index) => createSide(`fleet-${first + index}`));

async function synced(): Promise<number> {
  const readings = await Promise.all(
    sides.map(async ({ pods, vmis }) => [await pods.read({ consistent: false }), await vmis.read({ consistent: false })]),
  );
  return readings.filter(
    (both, index) => both.every(({ status }) => status.state === 'synced') && sides[index]?.node.current() !== undefined,
  ).length;
}

async function carryOut(order: FleetOrder): Promise<number> {
  switch (order.do) {
    case 'start':
      for (const { parts } of sides) for (const part of parts) part.start();
      return sides.length;
    case 'synced':
      return await synced();
    case 'publish': {
      const shown = report({
        files: Array.from({ length: order.files }, (_, index) => plannedFile({ name: `swap_${index}`, kind: 'swap' })),
      });
      for (const { reporter } of sides) await reporter.publish(shown, digestOf(shown), {});
      return sides.length;
    }
    case 'idle':
      await Promise.all(sides.map(async ({ reporter }) => await reporter.idle()));
      return sides.length;
    case 'stop':
      await Promise.all(
        sides.map(async ({ reporter, parts, client }) => {
          await Promise.all([reporter.close(), ...parts.map(async (part) => await part.stop())]);
          client.close();
        }),
      );
      return 0;
    default:
      throw new Error(`unknown order: ${JSON.stringify(order)}`);
  }
}

process.on('message', (order: FleetOrder) => void answer(order));

async function answer(order: FleetOrder): Promise<void> {
  const reply: FleetReply = { id: order.id, value: await carryOut(order), codes };
  process.send?.(reply, () => {
    if (order.do === 'stop') process.disconnect();
  });
}
