/** The shape of the chart's values, the configuration's part taken from the code's own schema: values.schema.json is generated from here. */
import * as z from 'zod/mini';
import { configJsonSchema } from '../../src/config/schema/schema.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

const text = z.string();
const absent = z.literal('');
const quantity = z.union([z.string().check(z.regex(/^[0-9.]+(e[0-9]+)?([kKMGT]i?|m)?$/)), z.number().check(z.positive())]);
/** A Kubernetes object or list that the chart passes on: the API server knows its schema better than a copy here would. */
const passedOn = z.record(text, z.unknown());
const listPassedOn = z.array(passedOn);
const labels = z.record(text, text);
const count = z.int().check(z.gte(0), z.lte(2_147_483_647));
const positive = z.int().check(z.gte(1), z.lte(2_147_483_647));
const port = z.int().check(z.gte(1), z.lte(65_535));
/** Prometheus' durations. */
const duration = z.string().check(z.regex(/^([0-9]+(ms|[smhdwy]))+$/));
const name = z.string().check(z.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/), z.maxLength(253));
const optionalName = z.union([absent, name]);

const resources = z.strictObject({
  requests: z.optional(z.record(text, quantity)),
  limits: z.optional(z.record(text, quantity)),
  claims: z.optional(listPassedOn),
});
const probe = z.strictObject({
  enabled: z.boolean(),
  initialDelaySeconds: z.optional(count),
  periodSeconds: positive,
  timeoutSeconds: positive,
  failureThreshold: positive,
  successThreshold: z.optional(positive),
});
const monitor = z.strictObject({
  enabled: z.boolean(),
  namespace: optionalName,
  labels,
  interval: duration,
  scrapeTimeout: duration,
  tlsConfig: passedOn,
  authorization: passedOn,
  relabelings: listPassedOn,
  metricRelabelings: listPassedOn,
  sampleLimit: count,
  labelLimit: count,
  targetLimit: count,
});
const alert = z.strictObject({
  enabled: z.boolean(),
  for: z.optional(duration),
  severity: z.string().check(z.minLength(1)),
  threshold: z.optional(z.number()),
});
const pullSecret = z.union([name, z.strictObject({ name })]);

const chartValues = z.strictObject({
  // Parent charts put whatever they like there.
  global: z.looseObject({ imageRegistry: text, imagePullSecrets: z.array(pullSecret) }),
  nameOverride: optionalName,
  fullnameOverride: optionalName,
  namespaceOverride: optionalName,
  image: z.strictObject({
    registry: text,
    repository: z.string().check(z.minLength(1)),
    tag: z.union([absent, z.string().check(z.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/))]),
    digest: z.union([absent, z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/))]),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  }),
  imagePullSecrets: z.array(pullSecret),
  serviceAccount: z.strictObject({ create: z.boolean(), name: optionalName, annotations: labels, automount: z.boolean() }),
  rbac: z.strictObject({ create: z.boolean(), vmNamespaces: z.array(name), extraRules: listPassedOn }),
  admissionPolicy: z.strictObject({ enabled: z.boolean() }),
  tolerations: listPassedOn,
  nodeSelector: labels,
  affinity: passedOn,
  priorityClassName: optionalName,
  updateStrategy: z.strictObject({ type: z.enum(['RollingUpdate', 'OnDelete']), rollingUpdate: z.optional(passedOn) }),
  revisionHistoryLimit: count,
  terminationGracePeriodSeconds: count,
  resources,
  createDirectories: z.strictObject({ enabled: z.boolean() }),
  podSecurityContext: passedOn,
  securityContext: passedOn,
  hostUsers: z.nullable(z.boolean()),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  commonLabels: labels,
  podLabels: labels,
  podAnnotations: labels,
  extraEnv: z.array(z.looseObject({ name: text })),
  extraArgs: z.array(text),
  extraVolumes: listPassedOn,
  extraVolumeMounts: listPassedOn,
  initContainers: listPassedOn,
  service: z.strictObject({ enabled: z.boolean(), port, annotations: labels }),
  tls: z.strictObject({ secretName: optionalName }),
  networkPolicy: z.strictObject({
    enabled: z.boolean(),
    ingressFrom: listPassedOn,
    apiServerAddresses: z.array(z.string().check(z.regex(/^[0-9a-fA-F.:]+\/\d{1,3}$/))),
    dns: listPassedOn,
    apiServerPorts: z.array(port).check(z.minLength(1)),
    extraIngress: listPassedOn,
    extraEgress: listPassedOn,
  }),
  monitoring: z.strictObject({
    podMonitor: monitor,
    serviceMonitor: monitor,
    prometheusRule: z.strictObject({
      enabled: z.boolean(),
      namespace: optionalName,
      labels,
      alertLabels: labels,
      runbookUrl: text,
      // Replaced by the alerts that the chart has: a misspelt one is refused.
      alerts: z.record(text, alert),
    }),
  }),
  dashboards: z.strictObject({
    sidecar: z.strictObject({
      enabled: z.boolean(),
      namespace: optionalName,
      label: z.string().check(z.minLength(1)),
      labelValue: text,
      annotations: labels,
    }),
    operator: z.strictObject({
      enabled: z.boolean(),
      namespace: optionalName,
      instanceSelector: passedOn,
      folder: text,
      allowCrossNamespaceImport: z.boolean(),
    }),
  }),
  extraManifests: z.array(z.union([text, passedOn])),
  cleanup: z.strictObject({ enabled: z.boolean(), activeDeadlineSeconds: positive, resources }),
});

/** What values.schema.json holds. `describe`: the comment above a key of values.yaml, by its path; `alerts`: their names. */
export function valuesSchema(describe: (path: string) => string | undefined, alerts: readonly string[]): JsonSchema {
  const schema = z.toJSONSchema(chartValues, { target: 'draft-7', io: 'input', reused: 'inline' }) as MutableSchema;
  schema.properties!['config'] = configPart();
  const rules = schema.properties!['monitoring']!.properties!['prometheusRule']!.properties!;
  const ofOneAlert = rules['alerts']!.additionalProperties;
  rules['alerts'] = {
    type: 'object',
    properties: Object.fromEntries(alerts.map((it) => [it, structuredClone(ofOneAlert) as MutableSchema])),
    additionalProperties: false,
  };
  relax(schema);
  for (const [key, property] of Object.entries(schema.properties!)) if (key !== 'config') annotate(property, key, describe);
  return { ...schema, title: 'Values of the Helm chart basekeeper' };
}

interface MutableSchema {
  properties?: Record<string, MutableSchema>;
  required?: string[];
  maximum?: number;
  minimum?: number;
  description?: string;
  additionalProperties?: unknown;
  [key: string]: unknown;
}

/** As the code has it, but for what makes no sense for all nodes together, and for what the chart itself must know. */
function configPart(): MutableSchema {
  const { $schema: _schema, title: _title, ...config } = structuredClone(configJsonSchema()) as MutableSchema;
  delete config.properties!['nodeName'];
  const http = config.properties!['http']!.properties!;
  for (const key of ['port', 'pagesPort']) {
    const schema = http[key]!;
    schema.minimum = 1;
    schema.description = schema.description?.replace('; 0 takes any free one', '') ?? '';
  }
  return config;
}

/** A value that is set to null is deleted by Helm, so nothing is required; and zod's bounds of what JavaScript can count say nothing. */
function relax(schema: MutableSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  for (const property of Object.values(schema.properties ?? {})) relax(property);
  if (schema.properties !== undefined && schema['items'] === undefined) delete schema.required;
}

function annotate(schema: MutableSchema, path: string, describe: (path: string) => string | undefined): void {
  const description = describe(path);
  if (description !== undefined) schema.description = description;
  for (const [key, property] of Object.entries(schema.properties ?? {})) annotate(property, `${path}.${key}`, describe);
}
