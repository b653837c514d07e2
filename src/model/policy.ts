export type Mode = 'off' | 'dry-run' | 'enforce';
export type Preset = 'safe' | 'nova';
/** `nova`: a name counts as Nova's image cache reads it. */
export type Naming = 'strict' | 'nova';

/** When the agent's passes start. Each is later by this node's share of `jitterSeconds`. */
export type Schedule =
  | { readonly kind: 'interval'; readonly intervalSeconds: number; readonly jitterSeconds: number }
  /** `expression` is valid for the package `cron` and fires at some time; `timeZone` is an IANA name. */
  | { readonly kind: 'cron'; readonly expression: string; readonly timeZone: string; readonly jitterSeconds: number };

/** The part of the configuration that verdicts and execution depend on. Defaults: design table in docs/configuration.md. */
export interface Policy {
  readonly preset: Preset;
  readonly naming: Naming;
  /** `nova`: only `disk` of known instances, one level. */
  readonly overlays: 'all' | 'nova';
  /** Nova's `remove_unused_base_images`. */
  readonly removeUnusedBaseImages: boolean;
  /** Nova's `remove_unused_original_minimum_age_seconds`: originals, swap and ephemeral files. Default 86400. */
  readonly originalMinimumAgeSeconds: number;
  /** Nova's `remove_unused_resized_minimum_age_seconds`: resized and legacy files. Default 3600. */
  readonly resizedMinimumAgeSeconds: number;
  /** No minimum age is ever below this. Default 600. */
  readonly minimumAgeFloorSeconds: number;
  /** 0: no limit. Undefined: a share of the cache. */
  readonly maxRemovalsPerPass: number | undefined;
  /** Nova's `force_raw_images`: base files are raw, whatever their bytes look like. Default false: their bytes say what they are. */
  readonly forceRawImages: boolean;
  /** Globs over paths: what is unseen there cannot lead to a base file. */
  readonly ignore: readonly string[];
  readonly touchBackingFiles: boolean;
  readonly removeLockFiles: boolean;
  readonly allowEmptyInventory: boolean;
  readonly liveUseCheck: boolean;
  readonly lockTimeoutSeconds: number;
  readonly pins: PinPolicy;
  readonly trash: TrashPolicy;
  /** Undefined: a full file system changes nothing. */
  readonly pressure?: PressurePolicy | undefined;
  /** Undefined: the cache may grow as far as the file system lets it. */
  readonly budget?: BudgetPolicy | undefined;
}

/** Shares of the file system in percent, 0 to 100, as `df` shows them; low < high. */
export interface PressurePolicy {
  readonly highThresholdPercent: number;
  readonly lowThresholdPercent: number;
}

/** What everything below the base directory may take: bytes, or a share of its file system in percent; one of the two. */
export interface BudgetPolicy {
  readonly maxBytes?: number | undefined;
  readonly maxPercentOfFilesystem?: number | undefined;
  /** Removals end at this share of the budget, in percent. Default 90. */
  readonly lowPercentOfMax: number;
}

/** What becomes of removed files. */
export interface TrashPolicy {
  /** Removed files are moved to the trash instead of being unlinked. */
  readonly enabled: boolean;
  /** How long a file stays there, also after `enabled` was taken back. Default 259200. */
  readonly graceSeconds: number;
}

export interface PinPolicy {
  readonly imageRefs: readonly string[];
  /** Of `imageRefs`, those that should be on this node. */
  readonly wanted?: readonly string[] | undefined;
  /** Globs over file names. */
  readonly fileNames: readonly string[];
}
