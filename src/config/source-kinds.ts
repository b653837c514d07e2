import type { SourcesConfig } from './types.ts';

/** What the rest of the program must know of a kind of source, whatever it reads. */
interface SourceKind {
  isOn(sources: SourcesConfig): boolean;
  /** Whether it needs the API server. */
  readonly asksCluster: boolean;
  /** Whether only its own host can ask it: other hosts of a shared directory learn its workloads by that host's report. */
  readonly isOfOneHost: boolean;
  /** The setting that switches it off. */
  readonly off: unknown;
}

const OFF = { enabled: false } as const;

/** Every source of workloads. A new one does not compile without its line here, and is then forgotten nowhere. */
const SOURCE_KINDS: Readonly<Record<keyof SourcesConfig, SourceKind>> = {
  pods: { isOn: ({ pods }) => pods.enabled, asksCluster: true, isOfOneHost: false, off: OFF },
  virtualMachineInstances: {
    isOn: ({ virtualMachineInstances }) => virtualMachineInstances.enabled,
    asksCluster: true,
    isOfOneHost: false,
    off: OFF,
  },
  rules: { isOn: ({ rules }) => rules.length > 0, asksCluster: true, isOfOneHost: true, off: [] },
  file: { isOn: ({ file }) => file !== undefined, asksCluster: false, isOfOneHost: true, off: undefined },
  libvirt: { isOn: ({ libvirt }) => libvirt !== undefined, asksCluster: false, isOfOneHost: true, off: OFF },
};

export const SOURCE_NAMES: readonly string[] = Object.keys(SOURCE_KINDS);

function someOn(sources: SourcesConfig, isWanted: (kind: SourceKind) => boolean): boolean {
  return Object.values(SOURCE_KINDS).some((kind) => isWanted(kind) && kind.isOn(sources));
}

export function hasSources(sources: SourcesConfig): boolean {
  return someOn(sources, () => true);
}

/** True where a source needs the API server. */
export function asksCluster(sources: SourcesConfig): boolean {
  return someOn(sources, (kind) => kind.asksCluster);
}

/** Sources that only this host can ask; other hosts have some that only they can ask. */
export function hasSourcesOfItsOwn(sources: SourcesConfig): boolean {
  return someOn(sources, (kind) => kind.isOfOneHost);
}

/** Settings that switch every source off. */
export function allOff(): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(SOURCE_KINDS).map(([name, { off }]) => [name, off]));
}
