/** The cluster that the end-to-end test runs on: how to reach it, and what it needs to be set up and taken down. Plain data crosses to tests. */

/** How tests reach the cluster. */
export interface ClusterAccess {
  readonly kind: 'one-node' | 'kind' | 'existing';
  /** Goes before a command that talks to the cluster, such as nsenter with its options. */
  readonly prefix: readonly string[];
  readonly kubeconfig: string;
  readonly kubectl: string;
  /** The node that the test works on. */
  readonly node: string;
  /** A directory that is at the same path here and on the node; the test makes its instances path in it. */
  readonly sharedDirectory: string;
  /** A file system of `SMALL_MEBIBYTES` below the shared directory, for what happens when a disk is full. */
  readonly smallDirectory: string;
  /** The image that was built, as `docker save` writes it; undefined where it was not built here. */
  readonly imageArchive?: string | undefined;
  /** The API server's audit log; undefined where it is not ours to configure. */
  readonly auditLog?: string | undefined;
}

export interface Cluster {
  readonly access: ClusterAccess;
  /** Makes the image known to the node. */
  loadImage(): Promise<void>;
  /** Takes down what was set up, and nothing else. */
  stop(): Promise<void>;
}
