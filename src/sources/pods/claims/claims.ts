import pLimit from 'p-limit';
import { KubeApiError } from '../../../kube/errors.ts';
import type { KubeClient } from '../../../kube/types.ts';
import { messageOf } from '../../../lib/errors.ts';
import { asText, at } from '../../../lib/json.ts';
import { hostPathOf, type HostView } from './volume-path.ts';

/** Of a pod that is on this node. */
export interface ClaimReference {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a claim of a pod turned out to be. */
export type ClaimedVolume =
  /** A directory of the host. */
  | { readonly kind: 'host'; readonly path: string }
  /** Of another type, or not bound yet: then no container has it. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'unknown'; readonly why: string };

/** Which directories of the host the claims of pods lead to. */
export interface Claims {
  find(claim: ClaimReference): ClaimedVolume;
  /**
   * Looks up those that were never looked up, and with `again` also those that were not bound or not answered for; forgets all others.
   * Never throws.
   */
  refresh(
    claims: readonly ClaimReference[],
    options: { readonly again: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
  /** Why no volume can be looked at; undefined: they can. */
  problem(): string | undefined;
}

const LOOKUPS_AT_ONCE = 8;
/** Claims that one reading asks for: a tenant may name as many as it likes that do not exist, and each costs a request a pass. */
const MAX_LOOKUPS = 1024;
/** Of them in one namespace. */
const MAX_PER_NAMESPACE = 256;
/** A pass waits for it, perhaps under the locks of files. */
const TIMEOUT_MS = 2000;
const ELSEWHERE: ClaimedVolume = { kind: 'elsewhere' };
const TOO_MANY: ClaimedVolume = {
  kind: 'unknown',
  why: `a pass looks up ${MAX_PER_NAMESPACE} claims of a namespace and ${MAX_LOOKUPS} of all, and pods of this node name more that are not bound`,
};
const NOT_YET: ClaimedVolume = { kind: 'unknown', why: 'it was not looked up yet' };

/**
 * Looks volumes up by name, two requests for each claim, once: neither the volume of a claim nor the source of a volume can change.
 * A watch of all PersistentVolumes would cost each agent all of them.
 */
export function createClaims(client: KubeClient, view: HostView): Claims {
  return new ClaimLookup(client, view);
}

class ClaimLookup implements Claims {
  readonly #client: KubeClient;
  readonly #view: HostView;
  #known = new Map<string, ClaimedVolume>();
  /** Those whose answer may be another one next time. */
  #unsettled = new Set<string>();
  /** By claim, whatever the pod: the reading that asked last. */
  #askedIn = new Map<string, number>();
  #readings = 0;
  #problem: string | undefined;

  constructor(client: KubeClient, view: HostView) {
    this.#client = client;
    this.#view = view;
  }

  find(claim: ClaimReference): ClaimedVolume {
    return this.#known.get(keyOf(claim)) ?? NOT_YET;
  }

  problem(): string | undefined {
    return this.#problem;
  }

  async refresh(claims: readonly ClaimReference[], { again, signal }: Parameters<Claims['refresh']>[1]): Promise<void> {
    const due = this.#due(new Map(claims.map((claim) => [keyOf(claim), claim])), again);
    // Where nothing may be read, one answer stands for all.
    const [now, others, answer] = this.#problem === undefined ? [...shares(due), TOO_MANY] : [due.slice(0, 1), due.slice(1), ELSEWHERE];
    for (const claim of others.flat()) this.#settle(claim, answer, false);
    await pLimit(LOOKUPS_AT_ONCE).map(now, async (pods) => await this.#lookUp(pods, signal));
  }

  /** What is to be looked up, grouped by claim: pods may share one. First what was asked for longest ago. Forgets all that is not asked for. */
  #due(asked: ReadonlyMap<string, ClaimReference>, again: boolean): ClaimReference[][] {
    this.#readings += 1;
    this.#known = new Map([...this.#known].filter(([key]) => asked.has(key)));
    this.#unsettled = new Set([...this.#unsettled].filter((key) => asked.has(key)));
    const missing = [...asked].filter(([key]) => !this.#known.has(key) || (again && this.#unsettled.has(key))).map(([, claim]) => claim);
    const names = new Set([...asked.values()].map(nameOf));
    this.#askedIn = new Map([...this.#askedIn].filter(([name]) => names.has(name)));
    const askedIn = (name: string): number => this.#askedIn.get(name) ?? 0;
    return [...Map.groupBy(missing, nameOf)].toSorted(([left], [right]) => askedIn(left) - askedIn(right)).map(([, pods]) => pods);
  }

  /** @param pods the same claim, once for each pod that uses it. */
  async #lookUp(pods: readonly ClaimReference[], signal: AbortSignal | undefined): Promise<void> {
    const [claim] = pods;
    if (claim === undefined) return;
    this.#askedIn.set(nameOf(claim), this.#readings);
    const [volume, isSettled] = await this.#ask(claim, signal);
    for (const pod of pods) this.#settle(pod, volume, isSettled);
  }

  async #ask(claim: ClaimReference, signal: AbortSignal | undefined): Promise<[ClaimedVolume, isSettled: boolean]> {
    try {
      const volume = await volumeOf(this.#client, claim, signal);
      this.#problem = undefined;
      const path = hostPathOf(volume, this.#view);
      return [path === undefined ? ELSEWHERE : { kind: 'host', path }, volume !== undefined];
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      const isForbidden = error.status === 403;
      if (isForbidden) this.#problem = messageOf(error);
      return [isForbidden ? ELSEWHERE : { kind: 'unknown', why: messageOf(error) }, false];
    }
  }

  #settle(claim: ClaimReference, volume: ClaimedVolume, isSettled: boolean): void {
    const key = keyOf(claim);
    this.#known.set(key, volume);
    if (isSettled) this.#unsettled.delete(key);
    else this.#unsettled.add(key);
  }
}

/** The volume's specification; undefined where the claim does not exist, or has none yet. */
async function volumeOf(client: KubeClient, { namespace, name }: ClaimReference, signal: AbortSignal | undefined): Promise<unknown> {
  const request = { method: 'GET', signal, timeoutMs: TIMEOUT_MS } as const;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims/${encodeURIComponent(name)}`;
  const claim = await client.request({ ...request, path }).catch(absent);
  const volumeName = asText(at(claim, 'spec', 'volumeName'));
  if (volumeName === undefined || volumeName === '') return undefined;
  return at(await client.request({ ...request, path: `/api/v1/persistentvolumes/${encodeURIComponent(volumeName)}` }), 'spec');
}

function absent(error: unknown): undefined {
  if (error instanceof KubeApiError && error.status === 404) return undefined;
  throw error;
}

/** Those that this reading asks for, and those that it leaves out. */
function shares(due: readonly ClaimReference[][]): [now: ClaimReference[][], tooMany: ClaimReference[][]] {
  const counts = new Map<string, number>();
  const now: ClaimReference[][] = [];
  const tooMany: ClaimReference[][] = [];
  for (const pods of due) {
    const namespace = pods[0]?.namespace ?? '';
    const count = counts.get(namespace) ?? 0;
    const hasRoom = count < MAX_PER_NAMESPACE && now.length < MAX_LOOKUPS;
    (hasRoom ? now : tooMany).push(pods);
    if (hasRoom) counts.set(namespace, count + 1);
  }
  return [now, tooMany];
}

function nameOf({ namespace, name }: ClaimReference): string {
  return `${namespace}/${name}`;
}

function keyOf(claim: ClaimReference): string {
  return `${claim.podUid} ${nameOf(claim)}`;
}
