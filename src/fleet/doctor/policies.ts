import { asArray, asText, at, field } from '../../lib/json.ts';
import type { AgentState } from '../agents.ts';
import type { Problem } from './problem.ts';

/** A ValidatingAdmissionPolicy of ours. */
export interface Policy {
  readonly name: string;
  readonly resources: readonly string[];
  /** The expressions that choose whom it is about. */
  readonly conditions: string;
  /** Why it does not do what it says, as far as it shows that itself. */
  readonly problem: string | undefined;
}

export interface PolicyBinding {
  readonly policy: string;
  readonly actions: readonly string[];
}

export interface Admission {
  readonly policies: readonly Policy[];
  readonly bindings: readonly PolicyBinding[];
}

export function policyOf(object: unknown): Policy | undefined {
  const name = asText(at(object, 'metadata', 'name'));
  if (name === undefined) return undefined;
  const rules = asArray(at(object, 'spec', 'matchConstraints', 'resourceRules')) ?? [];
  const [warning] = asArray(at(object, 'status', 'typeChecking', 'expressionWarnings')) ?? [];
  const conditions = (asArray(at(object, 'spec', 'matchConditions')) ?? []).map(
    (condition) => asText(field(condition, 'expression')) ?? '',
  );
  return {
    name,
    resources: rules.flatMap((rule) => (asArray(field(rule, 'resources')) ?? []).map(String)),
    conditions: conditions.join('\n'),
    problem: problemOf(asText(at(object, 'spec', 'failurePolicy')), asText(field(warning, 'warning'))),
  };
}

function problemOf(failurePolicy: string | undefined, warning: string | undefined): string | undefined {
  if (failurePolicy === 'Ignore') return 'its failurePolicy is Ignore, so what it cannot judge is allowed';
  return warning === undefined ? undefined : `the API server cannot check one of its expressions: ${warning}`;
}

export function bindingOf(object: unknown): PolicyBinding | undefined {
  const policy = asText(at(object, 'spec', 'policyName'));
  if (policy === undefined) return undefined;
  return { policy, actions: (asArray(at(object, 'spec', 'validationActions')) ?? []).map(String) };
}

/** What an agent writes. */
const CONFINED = ['nodes', 'events'] as const;

/** Policies that are missing, do nothing, or are about somebody else. */
export function policyProblems(admission: Admission | undefined, agents: readonly AgentState[]): Problem[] {
  if (admission === undefined) return [];
  const { policies, bindings } = admission;
  const missing = CONFINED.filter((resource) => !policies.some(({ resources }) => resources.includes(resource)));
  const message = `no admission policy confines what agents do to ${missing.join(' and ')}`;
  const values = { admissionPolicy: { enabled: true } };
  const strangers = [...new Set(agents.map(({ user }) => user))].filter((user) =>
    CONFINED.some((resource) => isFree(user, resource, policies)),
  );
  return [
    ...(missing.length === 0 ? [] : [{ kind: 'PolicyMissing', nodes: [], message, values } as const]),
    ...policies.flatMap((policy): Problem[] => {
      const problem = policy.problem ?? bindingProblem(bindings.filter((binding) => binding.policy === policy.name));
      if (problem === undefined) return [];
      const remedy = 'helm upgrade writes it again';
      return [
        { kind: 'PolicyNotInForce', nodes: [], message: `the admission policy ${policy.name} is not in force: ${problem}; ${remedy}` },
      ];
    }),
    ...strangers.map((user): Problem => {
      const nodes = agents.filter((agent) => agent.user === user).map(({ node }) => node);
      return { kind: 'PolicyNotInForce', nodes, message: `the admission policies are not about ${user}, as which these agents run` };
    }),
  ];
}

function bindingProblem(bindings: readonly PolicyBinding[]): string | undefined {
  if (bindings.length === 0) return 'no binding names it';
  const actions = bindings.flatMap((binding) => binding.actions);
  return actions.includes('Deny') ? undefined : `its binding denies nothing (validationActions: ${actions.join(', ')})`;
}

/** There are policies about this resource, and none of them is about this user. */
function isFree(user: string, resource: string, policies: readonly Policy[]): boolean {
  const about = policies.filter(({ resources }) => resources.includes(resource));
  return about.length > 0 && !about.some(({ conditions }) => conditions === '' || conditions.includes(`'${user}'`));
}
