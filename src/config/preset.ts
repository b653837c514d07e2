import type { SettingsInput } from './schema/schema.ts';

/**
 * Nova's way, for `preset: nova`: each switch of the table in docs/nova-parity.md. A key that the file gives explicitly wins.
 * What Nova does and no switch brings back is in that table as well.
 */
export const NOVA_PRESET = {
  naming: 'nova',
  overlays: 'nova',
  touchBackingFiles: false,
  liveUseCheck: false,
  minimumAgeFloorSeconds: 0,
  removeLockFiles: true,
  allowEmptyInventory: true,
  maxRemovalsPerPass: 0,
  sharedStorage: { staleHosts: 'ignore', settleSeconds: 0 },
} as const satisfies SettingsInput;
