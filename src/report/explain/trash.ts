import { TRASH_DIRECTORY } from '../../model/trash-names.ts';
import type { Plan, PlannedTrashedFile } from '../../model/plan.ts';
import type { Report } from '../../model/report.ts';
import { OUTCOMES, TRASH_REASONS } from '../../model/reasons.ts';
import type { RestoreCommand } from './restore-command.ts';
import { shortAge } from '../terminal/cells.ts';

/** Why a removed file is still in the trash, and how it comes back. */
export interface ExplainedTrashedFile extends PlannedTrashedFile {
  /** What the rule that decided says. */
  readonly rule: string;
  /** When it is removed for good or put back, or what has to happen first. */
  readonly next: string;
  /** The command that puts it back; absent when it has left the trash. */
  readonly restore?: string | undefined;
}

/** The files in the trash that `matching` finds; a name in the trash, or a path to it, asks for that one only. Pure. */
export function explainTrash(
  { trash, gate, takenAt }: Plan | Report,
  name: string,
  {
    matching,
    restore,
  }: { readonly matching: <F extends PlannedTrashedFile>(files: Iterable<F>) => readonly F[]; readonly restore: RestoreCommand },
): readonly ExplainedTrashedFile[] {
  if (trash === undefined) return [];
  const inTrash = `${TRASH_DIRECTORY}/`;
  const asked = name.startsWith(inTrash) ? name.slice(inTrash.length) : name;
  const exact = named(trash.files, asked);
  return (exact === undefined ? matching(trash.files) : [exact]).map((file) => ({
    ...file,
    rule: Object.hasOwn(TRASH_REASONS, file.reason) ? TRASH_REASONS[file.reason] : '',
    next: nextOf(file, { closed: gate.reasons.map(({ reason }) => reason).join(', '), takenAtMs: Date.parse(takenAt) }),
    ...(hasLeft(file) ? {} : { restore: restore(file.entry) }),
  }));
}

function named(files: Iterable<PlannedTrashedFile>, asked: string): PlannedTrashedFile | undefined {
  for (const file of files) if (file.entry === asked) return file;
  return undefined;
}

function hasLeft({ outcome }: PlannedTrashedFile): boolean {
  return outcome === 'restored' || outcome === 'emptied' || outcome === 'AlreadyGone';
}

function nextOf(file: PlannedTrashedFile, { closed, takenAtMs }: { readonly closed: string; readonly takenAtMs: number }): string {
  const { reason, outcome, outcomeMessage, graceEndsAt } = file;
  if (outcome !== undefined && (outcome !== 'kept' || outcomeMessage !== undefined))
    return [OUTCOMES[outcome] ?? outcome, ...(outcomeMessage === undefined ? [] : [`(${outcomeMessage})`])].join(' ');
  switch (reason) {
    case 'UnfinishedMove':
      return 'The next pass that enforces takes its name in the trash away; the base file stays.';
    case 'NamedInTrash':
      return 'It stays while a disk uses it there.';
    case 'NeededAgain':
      return 'The next pass that enforces puts it back.';
    case 'RemovalDisabled':
      return 'It stays until the configuration says removeUnusedBaseImages: true.';
    case 'WithinGrace':
      return `It is removed for good at ${graceEndsAt}, in ${shortAge(Math.ceil((Date.parse(graceEndsAt) - takenAtMs) / 1000))}, or sooner where space is short; a pass that finds it needed puts it back.`;
    case 'GateClosed':
      return `It goes for good in the first pass whose gate is open. The gate is closed: ${closed}.`;
    case 'RemovalLimitReached':
      return 'It goes for good in one of the next passes; maxRemovalsPerPass lets older files go first.';
    case 'UnderPressure':
    case 'OverBudget':
    case 'GraceOver':
      return 'The next pass that enforces removes it for good.';
    default:
      return '';
  }
}
