/** What the end-to-end test needs from the system, beyond what the other tests need. */
import type { SystemPackage } from '../../../scripts/lib/system-packages.ts';

export const CLUSTER_PACKAGES: readonly SystemPackage[] = [
  { name: 'containerd', purpose: 'runs the containers', provides: ['containerd'] },
  { name: 'runc', purpose: 'starts them', provides: ['runc'] },
  { name: 'containernetworking-plugins', purpose: 'gives pods their network', provides: ['/usr/lib/cni/bridge'] },
  { name: 'iproute2', purpose: "makes the cluster's own network namespace", provides: ['ip'] },
  { name: 'iptables', purpose: 'routes service addresses', provides: ['iptables'] },
  { name: 'conntrack', purpose: 'kube-proxy needs it', provides: ['conntrack'] },
  { name: 'openssl', purpose: "signs the cluster's certificates", provides: ['openssl'] },
  { name: 'gcc', purpose: 'builds the process that holds a pod’s namespaces', provides: ['gcc'] },
  { name: 'libc6-dev', purpose: 'the same', provides: ['/usr/lib/x86_64-linux-gnu/libc.a', '/usr/lib/aarch64-linux-gnu/libc.a'] },
  { name: 'buildah', purpose: 'builds images without a daemon', provides: ['buildah'] },
];
