/** What a busy node has in the API: pods, VMIs and changes to them. */
import { launcherPod, podObject, vmiObject } from '../../test/helpers/kube-objects.ts';
import { asAdmin, installCrds, type KubeAccess } from '../../test/helpers/kube-server.ts';
import { fileURLToPath } from 'node:url';

const NAMESPACE = 'default';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const VMIS = `/apis/kubevirt.io/v1/namespaces/${NAMESPACE}/virtualmachineinstances`;

export async function prepareServer(access: KubeAccess): Promise<void> {
  await installCrds(access, fileURLToPath(new URL('../../test/fixtures/kubevirt/virtualmachineinstances.yaml', import.meta.url)));
}

export async function createNode(access: KubeAccess, name: string): Promise<void> {
  await asAdmin(access, 'POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
}

/** `vmis` of the pods are virt-launchers of VMIs, the others are plain; their names begin with `prefix`. Returns the paths of all. */
export async function populate(
  access: KubeAccess,
  node: string,
  { pods, vmis, prefix = '' }: { readonly pods: number; readonly vmis: number; readonly prefix?: string },
): Promise<string[]> {
  const paths: string[] = [];
  for (let index = 0; index < vmis; index += 1) {
    const name = `${prefix}vm-${index}`;
    const vmi = vmiObject({ name, node, annotations: { 'basekeeper.io/image-ref': `image-${index}` } });
    const { metadata } = (await asAdmin(access, 'POST', VMIS, vmi)) as { metadata: { uid: string } };
    await asAdmin(access, 'POST', PODS, withoutIdentity(launcherPod({ name, uid: metadata.uid }, { node })));
    paths.push(`${VMIS}/${name}`);
  }
  for (let index = vmis; index < pods; index += 1) {
    const name = `${prefix}pod-${index}`;
    await asAdmin(access, 'POST', PODS, withoutIdentity(podObject({ name, node })));
    paths.push(`${PODS}/${name}`);
  }
  return paths;
}

function withoutIdentity(object: object): object {
  return { apiVersion: 'v1', kind: 'Pod', ...object };
}
