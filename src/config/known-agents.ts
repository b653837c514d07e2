const GPU_OPERATOR = [
  'nvidia-container-toolkit-daemonset',
  'nvidia-device-plugin-daemonset',
  'nvidia-driver-daemonset',
  'nvidia-mig-manager',
  'nvidia-operator-validator',
  'nvidia-sandbox-validator',
];

/**
 * Agents of widely installed charts that can write to directories far above the instances path, and run no VM, as a configuration
 * file lists them. Those that only read there need no entry. docs/neighbours.md shows the list.
 */
export const KNOWN_AGENTS = [
  { name: 'Multus, thick plugin', selector: { matchLabels: { app: 'multus', name: 'multus' } }, hostPaths: ['/'] },
  { name: 'NVIDIA GPU operator, vfio-manager', selector: { matchLabels: { name: 'nvidia-vfio-manager' } }, hostPaths: ['/'] },
  {
    name: 'NVIDIA GPU operator, other agents',
    selector: { matchExpressions: [{ key: 'app', operator: 'In' as const, values: GPU_OPERATOR }] },
    hostPaths: ['/'],
  },
  { name: 'OpenEBS ZFS LocalPV', selector: { matchLabels: { app: 'openebs-zfs-node' } }, hostPaths: ['/'] },
  { name: 'SR-IOV network operator', selector: { matchLabels: { app: 'sriov-network-config-daemon' } }, hostPaths: ['/'] },
  { name: 'Sysdig agent', selector: { matchLabels: { app: 'sysdig-agent' } }, hostPaths: ['/', '/var'] },
];
