import type { WatchedNode } from '../../kube/own-node.ts';
import type { Reflector, WatchSettings } from '../../kube/watch/options.ts';
import { createReflector } from '../../kube/watch/reflector.ts';
import type { WorkloadSource } from '../../model/ports.ts';
import { NODE_ANNOTATIONS, PINS_LABEL } from '../../model/annotation-keys.ts';
import { PIN_SOURCE, pinOfAnnotation, pinOfConfigMap, wantedOfAnnotation, type PinRecord } from './pins.ts';
import { worstOf } from '../status.ts';

export interface PinSourceOptions extends WatchSettings {
  /** Watched by its owner; this source starts it as well, which does nothing the second time. */
  readonly node: WatchedNode;
  /** Where labelled ConfigMaps are; undefined: they are not asked. */
  readonly configMapNamespace: string | undefined;
}

/** Pins that operators set in the cluster: the node's annotation, and labelled ConfigMaps. It knows no workloads. */
export function createPinSource(options: PinSourceOptions): WorkloadSource {
  const { node, configMapNamespace } = options;
  const maps =
    configMapNamespace === undefined
      ? undefined
      : createReflector<PinRecord>({
          ...options,
          path: `/api/v1/namespaces/${encodeURIComponent(configMapNamespace)}/configmaps`,
          query: { labelSelector: PINS_LABEL },
          select: pinOfConfigMap,
        });
  return {
    name: PIN_SOURCE,
    start() {
      node.start();
      maps?.start();
    },
    async stop() {
      await Promise.all([node.stop(), maps?.stop()]);
    },
    async read({ consistent, signal }) {
      if (consistent) await Promise.all([node.listConsistent(signal), maps?.listConsistent(signal)]);
      return readingOf(node, maps);
    },
  };
}

function readingOf(node: WatchedNode, maps: Reflector<PinRecord> | undefined) {
  const records = maps === undefined ? [] : [...maps.items()];
  const annotations = node.current()?.annotations ?? {};
  const valueOf = (key: string): string | undefined => (Object.hasOwn(annotations, key) ? annotations[key] : undefined);
  const own = [pinOfAnnotation(valueOf(NODE_ANNOTATIONS.pin)), wantedOfAnnotation(valueOf(NODE_ANNOTATIONS.wanted))];
  const statuses = [node.status(), ...(maps === undefined ? [] : [maps.status()])];
  return {
    status: { name: PIN_SOURCE, ...worstOf(statuses) },
    workloads: [],
    gaps: records.flatMap(({ gaps }) => gaps),
    pins: [...own.filter((pin) => pin !== undefined), ...records.map(({ pin }) => pin)],
  };
}
