import { AUDIT_RULES } from './audit.ts';
import { DISK } from './disk.ts';
import { DOOR_RULES } from './door.ts';
import { EXECUTION } from './execution.ts';
import { flatten, type Mutant } from './mutant.ts';
import { INPUTS } from './inputs.ts';
import { OVERLAY_RULES } from './overlays.ts';
import { SHARED_STORAGE } from './shared-storage.ts';
import { SOURCES } from './sources.ts';
import { TRASH } from './trash.ts';
import { VERDICTS } from './verdicts.ts';

/** Every safety rule, and the change that takes it away. */
export const MUTANTS: readonly Mutant[] = flatten([
  ...VERDICTS,
  ...EXECUTION,
  ...DISK,
  ...OVERLAY_RULES,
  ...SOURCES,
  ...TRASH,
  ...SHARED_STORAGE,
  ...INPUTS,
  ...DOOR_RULES,
  ...AUDIT_RULES,
]);
