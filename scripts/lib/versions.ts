/** The versions of everything that the project fetches or builds for itself besides npm packages: pinned here, and nowhere else. */

/** Kubernetes that tests, demo and end-to-end cluster run on, unless `KUBE_VERSION` names another one. */
export const DEFAULT_KUBE_VERSION = 'v1.34.4';

/** The oldest and the newest Kubernetes that the project is tested with. */
export const SUPPORTED_KUBE_VERSIONS = { oldest: 'v1.30.14', newest: 'v1.37.2' } as const;

/** etcd below any of these API servers. */
export const ETCD_VERSION = 'v3.6.13';

/** Where the definitions of PodMonitor, ServiceMonitor and PrometheusRule are taken from. */
export const PROMETHEUS_OPERATOR_VERSION = 'v0.85.0';

/** The Helm that the chart is tested with, by major version. */
export const HELM_VERSIONS = { 3: 'v3.19.5', 4: 'v4.3.1' } as const;

/** What releases are made, signed and rehearsed with, and what reads the workflows. */
export const RELEASE_TOOL_VERSIONS = { registry: 'v3.1.2', cosign: 'v2.6.5', oras: 'v1.3.6', actionlint: 'v1.7.12' } as const;
