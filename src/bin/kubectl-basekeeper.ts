import { runKubectl } from '../cli/kubectl/run.ts';
import { createFleet } from '../fleet/fleet.ts';
import { createKubeClient } from '../kube/client/client.ts';
import { findCredentials, USER_AGENT } from '../kube/connect.ts';
import { createPodReader } from '../kube/port-forward/pod-reader.ts';
import { runProcess } from './process.ts';

/** kubectl runs what is called `kubectl-basekeeper` for `kubectl basekeeper`. */
void runProcess((argv, env, io) =>
  runKubectl(argv, {
    env,
    io,
    connect: async (place) => {
      const kubeConfig = await findCredentials(place);
      const client = createKubeClient({ kubeConfig, userAgent: USER_AGENT });
      return createFleet({ client, readPod: createPodReader(kubeConfig, USER_AGENT), signal: io.signal });
    },
  }),
);
