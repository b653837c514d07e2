import { asText, at } from '../../lib/json.ts';
import type { ValueRule, WorkloadField, WorkloadRule } from '../../model/workload-rule.ts';
import type { Gap, ObjectReference, Workload } from '../../model/workload.ts';
import { matchesLabels } from '../../model/label-selector.ts';
import { displayName, objectGap, referenceOf, stringMap } from '../objects.ts';
import { instanceNamesOf } from '../workload-fields.ts';
import { readFields } from './fields.ts';
import type { FieldValues } from '../take-field.ts';
import { compileValue, type ValueReader } from './values.ts';

/** What is kept of an object. */
export interface RuleRecord {
  readonly workload: Workload;
  readonly gaps: readonly Gap[];
}

/** Undefined for an object that belongs to other nodes. Takes any JSON. */
export type RuleMapper = (object: unknown) => RuleRecord | undefined;

export function ruleSourceName(rule: Pick<WorkloadRule, 'name'>): string {
  return `rules/${rule.name}`;
}

/**
 * Compiles one rule into a pure mapper. An object whose node is unknown protects on every node. Throws an `Error` where a path or a
 * pattern cannot be compiled; a checked configuration has none.
 */
export function compileRule(rule: WorkloadRule, nodeName: string): RuleMapper {
  const nodes = rule.nodeFrom.map((value) => compileValue({ ...value, optional: true }));
  const fields = compileFields(rule.fields);
  const source = ruleSourceName(rule);
  return (object) => {
    const { values, problems } = readNodes(nodes, object);
    if (values.length > 0 && problems.length === 0 && !values.includes(nodeName)) return undefined;
    const reference = referenceOf(object, rule.apiVersion, rule.kind);
    const found = readFields(fields, object);
    const gaps = [...problems.map((problem) => `nodeFrom: ${problem}`), ...found.problems];
    return {
      workload: workloadOf(source, reference, found),
      gaps: gaps.map((problem) => objectGap('IncompleteWorkload', source, reference, problem)),
    };
  };
}

/** Whether the rule's kind, namespace and labels select the object. Its field selector is the API server's to decide. */
export function isSelected(rule: WorkloadRule, object: unknown): boolean {
  const same = asText(at(object, 'apiVersion')) === rule.apiVersion && asText(at(object, 'kind')) === rule.kind;
  const there = rule.namespace === undefined || asText(at(object, 'metadata', 'namespace')) === rule.namespace;
  return same && there && matchesLabels(rule.selector ?? {}, stringMap(at(object, 'metadata', 'labels')));
}

function compileFields(fields: WorkloadRule['fields']): ReadonlyMap<WorkloadField, readonly ValueReader[]> {
  const entries = Object.entries(fields) as [WorkloadField, readonly ValueRule[] | undefined][];
  return new Map(entries.map(([name, values = []]) => [name, values.map(compileValue)]));
}

function readNodes(nodes: readonly ValueReader[], object: unknown): { values: readonly string[]; problems: readonly string[] } {
  const found = nodes.map((read) => read(object));
  const values = found.flatMap((entry) => entry.values).map(String);
  return { values: values.filter((value) => value !== ''), problems: found.flatMap(({ problems }) => problems) };
}

function workloadOf(source: string, object: ObjectReference, fields: FieldValues): Workload {
  return {
    source,
    name: displayName(object),
    object,
    instanceNames: instanceNamesOf(...fields.instanceNames, object.name, object.uid),
    // Nothing says whether Nova is resizing it: protect as if it were.
    resizing: true,
    images: fields.images,
    swapMb: fields.swapMb,
    ephemeral: fields.ephemeral,
    paths: fields.paths,
  };
}
