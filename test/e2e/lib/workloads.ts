import { IMAGE_NAME } from '../image/build.ts';

interface WorkloadSpec {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly imageRef: string;
}

/** What every pod that is a VM says. */
function vmPodHead({ namespace, name, imageRef }: WorkloadSpec): object {
  const annotations = { 'basekeeper.io/image-ref': imageRef, 'basekeeper.io/instance': name };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, annotations } };
}

/** Our image, because it is there. */
function idleContainer(name: string): object {
  const command = ['/nodejs/bin/node', '--eval', 'setInterval(() => {}, 1e6)'];
  return { name, image: IMAGE_NAME, imagePullPolicy: 'Never', command };
}

/** A pod that has the token of a service account of its namespace. */
export function podWithToken({ namespace, name, node, account }: Omit<WorkloadSpec, 'imageRef'> & { readonly account: string }): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name },
    spec: { nodeName: node, serviceAccountName: account, terminationGracePeriodSeconds: 0, containers: [idleContainer('holder')] },
  };
}

/** A pod that is a VM, as somebody's operator would make it: it names its image and mounts the instances path. Our image, because it is there. */
export function vmPod({ instancesPath, ...spec }: WorkloadSpec & { readonly instancesPath: string }): object {
  return {
    ...vmPodHead(spec),
    spec: {
      nodeName: spec.node,
      terminationGracePeriodSeconds: 0,
      containers: [{ ...idleContainer('vm'), volumeMounts: [{ name: 'instances', mountPath: '/instances' }] }],
      volumes: [{ name: 'instances', hostPath: { path: instancesPath } }],
    },
  };
}

/** An object of the node that costs it no process: the kubelet refuses the pod, and an agent has to know it anyway. */
export function refusedPod(spec: WorkloadSpec): object {
  return {
    ...vmPodHead(spec),
    spec: {
      nodeName: spec.node,
      nodeSelector: { 'example.org/no-node-has-this': 'yes' },
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'vm', image: IMAGE_NAME, imagePullPolicy: 'Never' }],
    },
  };
}

/** A pod with a volume of the node by a claim, as a database has it; with the volume and the claim. */
export function podWithClaim({
  namespace,
  name,
  node,
  path,
}: Omit<WorkloadSpec, 'imageRef'> & { readonly path: string }): readonly object[] {
  const size = { storage: '1Mi' };
  const shared = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  return [
    { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec: { ...shared, capacity: size, hostPath: { path } } },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace, name },
      spec: { ...shared, volumeName: name, resources: { requests: size } },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name },
      spec: {
        nodeName: node,
        terminationGracePeriodSeconds: 0,
        containers: [{ ...idleContainer('database'), volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
      },
    },
  ];
}

/** A VirtualMachineInstance that runs on the node. */
export function vmi({ namespace, name, node, imageRef }: WorkloadSpec): object {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: { namespace, name, labels: { 'kubevirt.io/nodeName': node } },
    spec: { domain: { devices: {} }, volumes: [{ name: 'root', containerDisk: { image: imageRef } }] },
    status: { phase: 'Running', nodeName: node },
  };
}
