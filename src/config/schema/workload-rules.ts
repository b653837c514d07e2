import * as z from 'zod/mini';
import { described, flag, labelSelector, text } from './parts.ts';

const value = z.strictObject({
  path: z
    .optional(text())
    .check(described("JSONPath, as kubectl writes it, such as `{.metadata.annotations.example\\.com/image}`, or RFC 9535's.")),
  match: z
    .optional(text())
    .check(described('RE2 expression that each value must match wholly. With a capturing group, that group is the value. Only with path.')),
  value: z.optional(z.string()).check(described('The value itself, whatever the object says. Instead of path.')),
  optional: flag(false, 'Skip what is not there or does not match. Otherwise it is a gap, and nothing is removed on that node.'),
});

const values = (description: string) => z._default(z.array(value), []).check(described(description));

const rule = z.strictObject({
  name: z
    .string()
    .check(
      z.maxLength(40),
      z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'must be a short name: lower-case letters, digits and "-"' }),
      described('How reports and metrics name this source: `rules/<name>`.'),
    ),
  apiVersion: z
    .string()
    .check(
      z.regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?v[0-9][a-z0-9]*$/, { error: 'must be an API version such as v1 or example.com/v1' }),
      described('Such as `v1` or `example.com/v1`.'),
    ),
  kind: z
    .string()
    .check(
      z.regex(/^[A-Z][A-Za-z0-9]*$/, { error: 'must be a kind such as Pod or VirtualMachine' }),
      described('Such as `Pod` or `VirtualMachine`. A kind that the cluster does not have holds removals.'),
    ),
  resource: z
    .optional(
      z.string().check(z.regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, { error: 'must be a plural resource name such as virtualmachines' })),
    )
    .check(
      described("Plural name of the kind's resource. Default: what the cluster says. The chart guesses it for RBAC where it is not given."),
    ),
  namespace: z
    .optional(z.string().check(z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'must be the name of a namespace' }), z.maxLength(63)))
    .check(described('Only objects of this namespace; every namespace when absent.')),
  selector: labelSelector('Only objects with these labels. `$(NODE_NAME)` in a value stands for the name of the node.'),
  fieldSelector: z
    .optional(
      z.string().check(
        z.regex(/^[A-Za-z0-9./_-]+!?={1,2}[^,=!]*(,[A-Za-z0-9./_-]+!?={1,2}[^,=!]*)*$/, {
          error: 'must be a field selector such as spec.nodeName=$(NODE_NAME),status.phase!=Failed',
        }),
      ),
    )
    .check(described('Only objects whose fields are such, as the API server supports it. `$(NODE_NAME)` stands for the name of the node.')),
  nodeFrom: values('Nodes that an object belongs to. An object that yields none counts on every node.'),
  fields: z
    .strictObject({
      instance: values('Names of directories below the instances path; name and UID of the object always count.'),
      imageRef: values('Image ids.'),
      kernelId: values('Image ids of kernels.'),
      ramdiskId: values('Image ids of ramdisks.'),
      swapMb: values('Sizes of swap disks in MB.'),
      ephemeral: values('Ephemeral disks: GB, or GB and file system, such as `20:ext4`.'),
      path: values('Absolute paths, on the node, of files that the VM uses.'),
    })
    .check(described('What the objects say about their VMs. At least one must have an entry.')),
});

export const rules = z
  ._default(z.array(rule), [])
  .check(described('Any other kind of VM: pods without our annotations, or custom resources. See docs/rules.md.'));
