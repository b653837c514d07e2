import type { Plan, Totals } from '../model/plan.ts';
import type { Report, Stage } from '../model/report.ts';
import { reportTrash } from './trash.ts';
import type { Execution, FileOutcome } from '../model/ports.ts';
import type { PassResult } from '../model/reasons.ts';
import { rowsWithOutcomes } from './outcome.ts';
import { forEachRow, runNow, type Sliced } from '../lib/slices.ts';

export interface PassFacts {
  readonly dryRun: boolean;
  readonly durationSeconds: number;
  readonly stageSeconds: Readonly<Partial<Record<Stage, number>>>;
  /** Why the pass was stopped, if it was. */
  readonly stopReason?: string | undefined;
}

/** A plan and what became of it. Without an execution (a dry run), every outcome is `kept`. */
export function buildReport(plan: Plan, execution: Execution | undefined, facts: PassFacts): Report {
  return runNow(reportSteps(plan, execution, facts));
}

/** As `buildReport`, in slices. */
export function* reportSteps(plan: Plan, execution: Execution | undefined, facts: PassFacts): Sliced<Report> {
  const outcomes = execution?.outcomes ?? new Map<string, FileOutcome>();
  const { result, message } = resultOf(plan, execution, facts);
  const trash = yield* reportTrash(plan, execution);
  const totals = execution === undefined ? plan.totals : yield* withRemovals(plan, outcomes);
  return {
    ...plan,
    kind: 'Report',
    files: rowsWithOutcomes(plan.files, ({ name }) => outcomes.get(name)),
    totals,
    ...(trash === undefined ? {} : { trash }),
    result,
    dryRun: facts.dryRun,
    ...(message === undefined ? {} : { message }),
    durationSeconds: facts.durationSeconds,
    stageSeconds: facts.stageSeconds,
    lockWaitSeconds: execution?.lockWaitSeconds ?? [],
    ...ledgerOf(plan, execution),
  };
}

/** What it is like now; that it cannot be written is a finding. */
function ledgerOf({ findings }: Plan, execution: Execution | undefined): Pick<Report, 'ledger'> | Pick<Report, 'ledger' | 'findings'> {
  const ledger = execution?.ledger;
  if (ledger === undefined) return {};
  if (ledger.problem === undefined) return { ledger };
  return { ledger, findings: [...findings, { type: 'LedgerUnwritable', message: ledger.problem }] };
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

function resultOf(
  plan: Plan,
  execution: Execution | undefined,
  { dryRun, stopReason }: PassFacts,
): { result: PassResult; message?: string } {
  let failed = 0;
  let abandoned = 0;
  let unrestored = 0;
  for (const { outcome } of [...(execution?.outcomes.values() ?? []), ...(execution?.trash?.values() ?? [])]) {
    if (outcome === 'RemovalFailed') failed++;
    if (outcome === 'RestoreFailed') unrestored++;
    if (outcome === 'Abandoned') abandoned++;
  }
  if (abandoned > 0)
    return {
      result: 'Failed',
      message: `the pass stopped with ${abandoned} files left to process${because(stopReason)}; the next pass will handle them`,
    };
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

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `, because ${reason}`;
}

function* withRemovals(plan: Plan, outcomes: Execution['outcomes']): Sliced<Totals> {
  let removedFiles = 0;
  let removedBytes = 0;
  yield* forEachRow(plan.files, ({ name, allocatedBytes }) => {
    const found = outcomes.get(name);
    if (found?.outcome !== 'removed') return;
    removedFiles++;
    if (found.freedNothing !== true) removedBytes += allocatedBytes;
  });
  return { ...plan.totals, removedFiles, removedBytes };
}
