import { asAdmin, type KubeAccess } from './kube-server.ts';

/** Every field of an object of the Kubernetes API, out of the schema that a real API server publishes, each filled with something large. */

/** Longer than all that an agent may write together. */
const LARGE = 'x'.repeat(100_000);
/** How deep an object is filled of which the schema says nothing, such as `fieldsV1`. */
const OPAQUE_DEPTH = 6;
/** As much of an object as the API server wants, so that it judges the large field and not its neighbours. */
const NEIGHBOURS: Readonly<Record<string, object>> = {
  OwnerReference: { apiVersion: 'v1', kind: 'Node', name: 'n', uid: '1' },
  ManagedFieldsEntry: {
    manager: 'basekeeper',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-23T14:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:basekeeper.io/result': {} } } },
  },
  EventSeries: { count: 2, lastObservedTime: '2026-11-23T14:00:01.000000Z' },
};

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

type Schemas = Readonly<Record<string, Schema>>;

export interface FilledField {
  /** Such as `metadata.labels{key}`. */
  readonly path: string;
  /** The object with nothing but this field, and what it needs beside it. */
  readonly value: object;
}

/** `document` is such as `api/v1`, `name` such as `io.k8s.api.core.v1.Node`. Numbers and truth values are left out: they have their size. */
export async function filledFields(server: KubeAccess, document: string, name: string): Promise<readonly FilledField[]> {
  const answer = (await asAdmin(server, 'GET', `/openapi/v3/${document}`)) as { components: { schemas: Schemas } };
  const schemas = answer.components.schemas;
  return filled(schemas, { $ref: name }, '').map(({ path, value }) => ({ path, value: value as object }));
}

function filled(schemas: Schemas, schema: Schema, path: string): readonly { readonly path: string; readonly value: unknown }[] {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference !== undefined) {
    const name = reference.split('/').at(-1) ?? '';
    const neighbours = NEIGHBOURS[name.split('.').at(-1) ?? ''] ?? {};
    return filled(schemas, schemas[name] ?? {}, path).map((field) => ({ ...field, value: beside(neighbours, field.value) }));
  }
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([key, property]) =>
      filled(schemas, property, path === '' ? key : `${path}.${key}`).map((field) => ({ ...field, value: { [key]: field.value } })),
    );
  }
  if (schema.type === 'array') return filled(schemas, schema.items ?? {}, `${path}[]`).map((field) => ({ ...field, value: [field.value] }));
  if (schema.additionalProperties !== undefined) {
    const ofValue = filled(schemas, schema.additionalProperties, `${path}{value}`);
    return [{ path: `${path}{key}`, value: { [LARGE]: '1' } }, ...ofValue.map((field) => ({ ...field, value: { a: field.value } }))];
  }
  if (schema.type === 'object') return opaque(path);
  return schema.type === 'integer' || schema.type === 'boolean' ? [] : [{ path, value: LARGE }];
}

function beside(neighbours: object, value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...neighbours, ...value } : value;
}

/** Something large at each depth, below the names of what the agent may own. */
function opaque(path: string): readonly { readonly path: string; readonly value: unknown }[] {
  const names = ['f:metadata', 'f:annotations', 'f:basekeeper.io/result'];
  return Array.from({ length: OPAQUE_DEPTH }, (_, depth) => {
    let value: object = { [`f:${LARGE}`]: {} };
    for (let at = depth - 1; at >= 0; at--) value = { [names[at] ?? 'f:a']: value };
    return { path: `${path}{${depth}}`, value };
  });
}
