import { countBy } from '../lib/by-key.ts';
import type { RemovalLedger, RemovalRecord } from '../model/ledger/recorder.ts';
import type { Asked } from '../model/ledger/records.ts';
import type { Plan } from '../model/plan.ts';
import type { Execution, Executor, UseCheck } from '../model/ports.ts';
import type { Outcome } from '../model/reasons.ts';

export interface RecordedExecution {
  readonly plan: Plan;
  readonly executor: Executor;
  /** Undefined: removals are not recorded. */
  readonly ledger: RemovalLedger | undefined;
  readonly asked: Asked;
  readonly signal: AbortSignal | undefined;
  /** What asks for the evidence, and hands each reading to the record. */
  readonly checkWith: (record: RemovalRecord | undefined) => UseCheck;
}

/** Carries out a plan, each removal recorded before it happens. */
export async function executeRecorded({ plan, executor, ledger, asked, signal, checkWith }: RecordedExecution): Promise<Execution> {
  const { node, preset, basePath } = plan;
  // Behind a closed gate nothing goes, and what lies in the place of the directories may be another's.
  const record = plan.gate.open ? await ledger?.begin({ asked, node, preset, basePath }) : undefined;
  try {
    const execution = await executor.execute(plan, checkWith(record), { signal, record });
    return record === undefined ? execution : { ...execution, ledger: await record.end(countOutcomes(execution)) };
  } finally {
    record?.close();
  }
}

/** By what the executor says of each file, and not by what was recorded. */
function countOutcomes({ outcomes, trash }: Execution): Partial<Record<Outcome, number>> {
  return countBy([...outcomes.values(), ...(trash?.values() ?? [])], ({ outcome }) => outcome);
}
