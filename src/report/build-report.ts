import type { Plan, PlannedFile, Totals } from '../model/plan.ts';
import type { Report, Stage } from '../model/report.ts';
import { reportTrash } from './trash.ts';
import type { Execution, FileOutcome } from '../model/ports.ts';
import type { PassResult } from '../model/reasons.ts';
import type { Rows } from '../model/rows.ts';
import { eachRow, finish, type Steps } from '../lib/steps.ts';

export interface PassFacts {
  readonly dryRun: boolean;
  readonly durationSeconds: number;
  readonly stageSeconds: Readonly<Partial<Record<Stage, number>>>;
}

/** A plan and what became of it. Without an execution (a dry run), every outcome is `kept`. */
export function buildReport(plan: Plan, execution: Execution | undefined, facts: PassFacts): Report {
  return finish(reportSteps(plan, execution, facts));
}

/** As `buildReport`, in slices. */
export function* reportSteps(plan: Plan, execution: Execution | undefined, facts: PassFacts): Steps<Report> {
  const outcomes = execution?.outcomes ?? new Map<string, FileOutcome>();
  const { result, message } = resultOf(plan, execution, facts.dryRun);
  const trash = yield* reportTrash(plan, execution);
  const totals = execution === undefined ? plan.totals : yield* withRemovals(plan, outcomes);
  return {
    ...plan,
    kind: 'Report',
    files: new ReportedFiles(plan.files, outcomes),
    totals,
    ...(trash === undefined ? {} : { trash }),
    result,
    dryRun: facts.dryRun,
    ...(message === undefined ? {} : { message }),
    durationSeconds: facts.durationSeconds,
    stageSeconds: facts.stageSeconds,
    lockWaitSeconds: execution?.lockWaitSeconds ?? [],
  };
}

/** The report of a pass that decided nothing: it failed before it had a plan, or the mode is off. */
export function emptyReport(
  about: Pick<Plan, 'node' | 'takenAt' | 'preset' | 'basePath'>,
  result: 'Failed' | 'Skipped',
  message: string,
  facts: Pick<PassFacts, 'durationSeconds' | 'stageSeconds'>,
): Report {
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'Report',
    ...about,
    gate: { open: false, reasons: [] },
    files: [],
    findings: [],
    totals: { files: 0, allocatedBytes: 0, reclaimableFiles: 0, reclaimableBytes: 0, removedFiles: 0, removedBytes: 0 },
    states: [],
    overlays: {},
    sources: [],
    cacheUsageBytes: 0,
    result,
    message,
    ...facts,
    lockWaitSeconds: [],
  };
}

function resultOf(plan: Plan, execution: Execution | undefined, dryRun: boolean): { result: PassResult; message?: string } {
  let failed = 0;
  let abandoned = 0;
  let unrestored = 0;
  for (const { outcome } of [...(execution?.outcomes.values() ?? []), ...(execution?.trash?.values() ?? [])]) {
    if (outcome === 'RemovalFailed') failed++;
    if (outcome === 'RestoreFailed') unrestored++;
    if (outcome === 'Abandoned') abandoned++;
  }
  if (abandoned > 0)
    return { result: 'Failed', message: `the pass was stopped before ${abandoned} files were dealt with; the next pass takes them` };
  if (unrestored > 0)
    return {
      result: 'Failed',
      message: `${unrestored} files that are needed again could not be put back from the trash; each outcome has the reason`,
    };
  if (failed > 0) return { result: 'Failed', message: `${failed} files could not be removed; each outcome has the reason` };
  const scanIncomplete = plan.gate.reasons.some(({ reason }) => reason === 'ScanIncomplete');
  const isHeld = plan.totals.reclaimableFiles > 0 || (plan.trash?.totals.dueFiles ?? 0) > 0;
  if (!plan.gate.open && (isHeld || scanIncomplete)) return { result: 'Held' };
  return { result: dryRun ? 'DryRun' : 'Succeeded' };
}

function* withRemovals(plan: Plan, outcomes: Execution['outcomes']): Steps<Totals> {
  let removedFiles = 0;
  let removedBytes = 0;
  yield* eachRow(plan.files, ({ name, allocatedBytes }) => {
    if (outcomes.get(name)?.outcome !== 'removed') return undefined;
    removedFiles++;
    removedBytes += allocatedBytes;
    return undefined;
  });
  return { ...plan.totals, removedFiles, removedBytes };
}

/** The rows of the plan that a report was made of, where it still has them. */
export function plannedRows(files: Rows<PlannedFile>): Rows<PlannedFile> | undefined {
  return files instanceof ReportedFiles ? files.planned : undefined;
}

/** The plan's rows with their outcomes, made when somebody looks. */
class ReportedFiles implements Rows<PlannedFile> {
  readonly length: number;
  readonly planned: Rows<PlannedFile>;
  readonly #outcomes: Execution['outcomes'];

  constructor(planned: Rows<PlannedFile>, outcomes: Execution['outcomes']) {
    this.length = planned.length;
    this.planned = planned;
    this.#outcomes = outcomes;
  }

  at(index: number): PlannedFile | undefined {
    const file = this.planned.at(index);
    return file === undefined ? undefined : this.#withOutcome(file);
  }

  *[Symbol.iterator](): Iterator<PlannedFile> {
    for (const file of this.planned) yield this.#withOutcome(file);
  }

  toJSON(): PlannedFile[] {
    return [...this];
  }

  #withOutcome(file: PlannedFile): PlannedFile {
    const found = this.#outcomes.get(file.name);
    if (found === undefined) return { ...file, outcome: 'kept' };
    return { ...file, outcome: found.outcome, ...(found.message === undefined ? {} : { outcomeMessage: found.message }) };
  }
}
