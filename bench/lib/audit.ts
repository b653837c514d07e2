/** What an API server was asked, from its own audit log. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Audit {
  readonly flags: Readonly<Record<string, string>>;
  /** Requests that were received from `fromMs` on, wall clock. */
  requests(fromMs: number): AuditedRequest[];
}

export interface AuditedRequest {
  readonly verb: string;
  readonly uri: string;
  readonly userAgent: string;
  readonly receivedMs: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly requestReceivedTimestamp: string;
}

/** Flags that make an API server log every request when it is received. */
export function auditIn(directory: string): Audit {
  const policy = join(directory, 'audit-policy.json');
  const log = join(directory, 'audit.jsonl');
  writeFileSync(
    policy,
    JSON.stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['ResponseStarted', 'ResponseComplete', 'Panic'],
      rules: [{ level: 'Metadata' }],
    }),
  );
  return {
    flags: { 'audit-policy-file': policy, 'audit-log-path': log, 'audit-log-mode': 'blocking' },
    requests: (fromMs) => {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
      return lines
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditEvent)
        .map(({ verb, requestURI, userAgent = '', requestReceivedTimestamp }) => ({
          verb,
          uri: requestURI,
          userAgent,
          receivedMs: Date.parse(requestReceivedTimestamp),
        }))
        .filter(({ receivedMs }) => receivedMs >= fromMs);
    },
  };
}
