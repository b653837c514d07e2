import type { Gap, Workload } from '../../model/workload.ts';
import type { WorkloadRule } from '../../model/workload-rule.ts';
import { compileRule, isSelected, ruleSourceName } from './map-object.ts';

/** What one rule makes of one object. */
export interface RuleTrial {
  readonly source: string;
  /** Whether kind, namespace and labels select it. A field selector is the API server's to decide. */
  readonly selected: boolean;
  /** Undefined when the object is not selected, or belongs to another node. */
  readonly workload: Workload | undefined;
  readonly gaps: readonly Gap[];
}

/** Tries each rule on the object as the agent of that node would. */
export function tryRules(rules: readonly WorkloadRule[], nodeName: string, object: unknown): readonly RuleTrial[] {
  return rules.map((rule) => {
    const selected = isSelected(rule, object);
    const record = selected ? compileRule(rule, nodeName)(object) : undefined;
    return { source: ruleSourceName(rule), selected, workload: record?.workload, gaps: record?.gaps ?? [] };
  });
}
