import * as z from 'zod/mini';
import { absolutePath, described, flag, labelSelector, requiredLabelSelector, seconds, TEN_YEARS_SECONDS, text } from './parts.ts';
import { rules } from './workload-rules.ts';

export const sources = z
  .prefault(
    z.strictObject({
      pods: z
        .prefault(
          z.strictObject({
            enabled: flag(true, 'Watch the pods of this node.'),
            persistentVolumes: flag(
              true,
              'Look up the volume claims of pods: a PersistentVolume of the type local, hostPath or NFS may lead to the instances path. Without the right to read them nothing is held, and the report says so.',
            ),
            selector: labelSelector(
              'Label selector of pods that are VMs. Pods that carry an annotation of Basekeeper, such as `basekeeper.io/image-ref`, count in any case.',
            ),
          }),
          {},
        )
        .check(described('Pods of this node.')),
      virtualMachineInstances: z
        .prefault(
          z.strictObject({
            enabled: flag(
              true,
              'Watch the VirtualMachineInstances that run on this node or migrate to it. Harmless where KubeVirt is not installed.',
            ),
          }),
          {},
        )
        .check(described('VirtualMachineInstances of KubeVirt.')),
      rules,
      file: z
        .optional(
          z.strictObject({
            path: absolutePath().check(described('Absolute path of the workloads file; it is read again in every pass.')),
            requireComplete: z
              .optional(z.boolean())
              .check(
                described(
                  'The file must say `generatedAt` and `complete: true`; otherwise nothing is removed. Default: true with `preset: nova`, else false.',
                ),
              ),
            maximumAgeSeconds: seconds(
              3600,
              1,
              TEN_YEARS_SECONDS,
              'A file whose `generatedAt` is older holds removals. A file without `generatedAt` has no age.',
            ),
          }),
        )
        .check(described('A YAML file that lists workloads, for machines without a cluster.')),
      libvirt: z
        .prefault(
          z.strictObject({
            enabled: flag(false, "Read the domains of the host's libvirtd from its files, where VMs are not pods: no socket, no write."),
            statusPath: z
              ._default(absolutePath(), '/run/libvirt/qemu')
              .check(described('Status files of live domains, as mounted here. May be missing while libvirtd does not run.')),
            definitionsPath: z._default(absolutePath(), '/etc/libvirt/qemu').check(described('Definitions of domains, as mounted here.')),
          }),
          {},
        )
        .check(described('Domains of libvirt: VMs of nova-compute in a pod, or on the host itself.')),
    }),
    {},
  )
  .check(described('Where the list of workloads comes from. At least one source must be enabled.'));

export const knownAgent = z.strictObject({
  name: text().check(described('What people call it.')),
  selector: requiredLabelSelector('Its labels.'),
  hostPaths: z
    .array(absolutePath())
    .check(
      z.minLength(1),
      described(
        'Directories of the host that it mounts. A pod that has the labels and reaches any other way to the instances path is not exempt.',
      ),
    ),
});

export const exemptPod = z.strictObject({
  namespace: z.optional(text()).check(described('Only pods of this namespace; every namespace when absent.')),
  selector: labelSelector('Only pods with these labels; every pod of the namespace when absent.'),
});
