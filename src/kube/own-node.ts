import { asText, at, asObject } from '../lib/json.ts';
import { KEY_PREFIX } from '../model/annotation-keys.ts';
import { createReflector } from './watch/reflector.ts';
import type { WatchSettings } from './watch/options.ts';
import type { ReflectorStatus } from './watch/health.ts';
import type { NodeMetadata, OwnNode } from './types.ts';

const ACCEPT = {
  list: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  watch: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
};

export interface OwnNodeOptions extends WatchSettings {
  readonly nodeName: string;
}

/** Our own Node with what its watch knows about itself. */
export interface WatchedNode extends OwnNode {
  status(): ReflectorStatus;
  /** One quorum LIST; false, with the reason in `status()`, when it failed. */
  listConsistent(signal: AbortSignal | undefined): Promise<boolean>;
}

/** Watches the metadata of one Node. `current()` has only our annotations: the others change often and mean nothing to us. */
export function createOwnNode(options: OwnNodeOptions): WatchedNode {
  const listeners = new Set<(node: NodeMetadata | undefined) => void>();
  let current: NodeMetadata | undefined;
  let shown = JSON.stringify(current);

  const reflector = createReflector({
    ...options,
    path: '/api/v1/nodes',
    query: { fieldSelector: `metadata.name=${options.nodeName}` },
    accept: ACCEPT,
    select: (object) => nodeMetadata(object, options.nodeName),
    onChange: () => {
      // A node that was recreated under its name may be there twice until the old one's DELETED arrives: the newest counts.
      current = [...reflector.items()].at(-1);
      const shows = JSON.stringify(current);
      if (shows === shown) return;
      shown = shows;
      for (const listener of listeners) listener(current);
    },
  });
  return {
    start: () => reflector.start(),
    stop: async () => await reflector.stop(),
    status: () => reflector.status(),
    listConsistent: async (signal) => await reflector.listConsistent(signal),
    current: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function nodeMetadata(object: unknown, nodeName: string): NodeMetadata | undefined {
  const name = asText(at(object, 'metadata', 'name'));
  const uid = asText(at(object, 'metadata', 'uid'));
  if (name !== nodeName || uid === undefined) return undefined;
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries(asObject(at(object, 'metadata', 'annotations')) ?? {})) {
    if (key.startsWith(KEY_PREFIX) && typeof value === 'string') annotations[key] = value;
  }
  return { name, uid, annotations };
}
