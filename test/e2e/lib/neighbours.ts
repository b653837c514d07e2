/** Pods of other people's charts, so that they start here. */
import { posix } from 'node:path';
import { asArray, asText, at, field } from '../../../src/lib/json.ts';
import { IMAGE_NAME } from '../image/build.ts';

interface Place {
  readonly namespace: string;
  readonly node: string;
  /** What stands for /var/lib/nova there. */
  readonly nova: string;
}

const NODE_PROGRAM = '/nodejs/bin/node';

/**
 * A pod that mounts what this one mounts of the way to the instances path, in the same containers and in the same way. The rest is ours:
 * the image, because it is there, and what it mounts elsewhere, because it is not.
 */
export function neighbourPod(fixture: unknown, name: string, { namespace, node, nova }: Place): object {
  const hasEnded = at(fixture, 'status', 'phase') === 'Succeeded';
  const volumes = listOf(at(fixture, 'spec', 'volumes')).map((volume) => volumeAt(volume, nova));
  const containers = (key: string, script: string): object[] =>
    listOf(at(fixture, 'spec', key)).map((container) => {
      const volumeMounts = listOf(field(container, 'volumeMounts')).map((mount) => mountAt(mount, volumes, nova));
      return {
        name: asText(field(container, 'name')),
        image: IMAGE_NAME,
        imagePullPolicy: 'Never',
        command: [NODE_PROGRAM, '--eval', script],
        volumeMounts,
        securityContext: { runAsUser: 0, runAsNonRoot: false, privileged: volumeMounts.some(isBidirectional) },
      };
    });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: at(fixture, 'metadata', 'labels') },
    spec: {
      nodeName: node,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      ...(hasEnded ? { restartPolicy: 'Never' } : {}),
      initContainers: containers('initContainers', ''),
      containers: containers('containers', hasEnded ? '' : 'setInterval(() => {}, 1e6)'),
      volumes,
    },
  };
}

interface Volume {
  readonly name: string;
  readonly hostPath?: { readonly path: string };
  readonly emptyDir?: object;
}

function volumeAt(volume: unknown, nova: string): Volume {
  const name = asText(field(volume, 'name')) ?? '';
  const there = onTheWay(asText(at(volume, 'hostPath', 'path')), nova);
  return there === undefined ? { name, emptyDir: {} } : { name, hostPath: { path: there } };
}

/** `/var/lib/nova/x` as it is here; undefined for what is not on the way to the instances path. */
function onTheWay(path: string | undefined, nova: string): string | undefined {
  const normal = path === undefined ? undefined : posix.normalize(`${path}/`);
  if (normal === undefined || normal === '/') return normal;
  if (normal.startsWith('/var/lib/nova/')) return posix.join(nova, normal.slice('/var/lib/nova/'.length));
  const above = ['/var/lib/', '/var/'].indexOf(normal);
  return above === -1 ? undefined : posix.join(nova, '../'.repeat(above + 1));
}

/** Without propagation where this machine's `/` may not have it, and where there is nothing to propagate. */
function mountAt(mount: unknown, volumes: readonly Volume[], nova: string): object {
  const path = volumes.find(({ name }) => name === field(mount, 'name'))?.hostPath?.path;
  const subPath = asText(field(mount, 'subPath'))?.replace(/^var\/lib\/nova/, nova.slice(1));
  const propagates = path?.startsWith(nova) === true;
  const { mountPropagation, ...rest } = mount as { readonly mountPropagation?: string };
  return { ...rest, ...(subPath === undefined ? {} : { subPath }), ...(propagates ? { mountPropagation } : {}) };
}

function isBidirectional(mount: object): boolean {
  return field(mount, 'mountPropagation') === 'Bidirectional';
}

function listOf(value: unknown): readonly unknown[] {
  return asArray(value) ?? [];
}
