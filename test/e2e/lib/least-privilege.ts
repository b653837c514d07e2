/** What a service account was granted, and what the API server's audit log says that it asked for; both as `resource.group verb`. */
import { readFileSync } from 'node:fs';
import type { Session } from './session.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly objectRef?: { readonly resource: string; readonly apiGroup?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code: number };
}

export interface Requests {
  readonly rights: ReadonlySet<string>;
  /** Those that were answered with 403. */
  readonly forbidden: ReadonlySet<string>;
}

/** Everything that a release grants to its service account, cluster-wide or in a namespace. */
export async function rulesOfRelease(session: Session, release: string): Promise<Rule[]> {
  const labelled = ['--selector', `app.kubernetes.io/instance=${release}`, '--all-namespaces'];
  const { items } = await session.json<{ items: { rules: Rule[] }[] }>('get', 'clusterroles,roles', ...labelled);
  return items.flatMap(({ rules }) => rules);
}

export function grantedRights(rules: readonly Rule[]): Set<string> {
  const rights = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => right(resource, group, verb)))),
  );
  return new Set(rights);
}

export function auditedRequests(auditLog: string, serviceAccount: string): Requests {
  const rights = new Set<string>();
  const forbidden = new Set<string>();
  for (const line of readFileSync(auditLog, 'utf8').split('\n')) {
    if (!line.includes(serviceAccount)) continue;
    const { user, verb, objectRef, responseStatus } = JSON.parse(line) as AuditEvent;
    if (user.username !== serviceAccount || objectRef === undefined) continue;
    const resource = objectRef.subresource === undefined ? objectRef.resource : `${objectRef.resource}/${objectRef.subresource}`;
    const asked = right(resource, objectRef.apiGroup ?? '', verb);
    rights.add(asked);
    if (responseStatus?.code === 403) forbidden.add(asked);
  }
  return { rights, forbidden };
}

function right(resource: string, group: string, verb: string): string {
  return `${group === '' ? resource : `${resource}.${group}`} ${verb}`;
}
