import * as z from 'zod/mini';

export const described = (description: string) => z.meta({ description });
export const flag = (value: boolean, description: string) => z._default(z.boolean(), value).check(described(description));
export const seconds = (value: number, minimum: number, maximum: number, description: string) =>
  z._default(z.int().check(z.gte(minimum), z.lte(maximum)), value).check(described(description));
export const optionalSeconds = (minimum: number, maximum: number, description: string) =>
  z.optional(z.int().check(z.gte(minimum), z.lte(maximum))).check(described(description));

export const absolutePath = () =>
  z.string().check(
    // A control character in a path is never meant, and it would end up in a terminal. Written as both ECMAScript and RE2 (Helm) read it.
    z.regex(/^\/\P{Cc}*$/u, { error: 'must be an absolute path without control characters, such as /var/lib/nova/instances' }),
  );
export const text = () => z.string().check(z.minLength(1));

const requirement = z.strictObject({
  key: text().check(described('Label key.')),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).check(described('Exactly as in Kubernetes.')),
  values: z.optional(z.array(z.string())).check(described('For In and NotIn: at least one value. Not for Exists and DoesNotExist.')),
});

const selector = () =>
  z.strictObject({
    matchLabels: z.optional(z.record(z.string(), z.string())).check(described('Labels that must all have these values.')),
    matchExpressions: z.optional(z.array(requirement)).check(described('Requirements that must all hold.')),
  });

export const labelSelector = (description: string) => z.optional(selector()).check(described(description));
export const requiredLabelSelector = (description: string) => selector().check(described(description));

/** Longer periods are mistakes. */
export const TEN_YEARS_SECONDS = 315_360_000;
