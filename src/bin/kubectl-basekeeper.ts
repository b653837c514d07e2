import { runKubectl } from '../cli/kubectl/run.ts';
import { connectClient } from '../kube/connect.ts';
import { createFleet } from '../fleet/fleet.ts';
import { runProcess } from './process.ts';

/** kubectl runs what is called `kubectl-basekeeper` for `kubectl basekeeper`. */
void runProcess((argv, env, io) =>
  runKubectl(argv, { env, io, connect: async (place) => createFleet({ client: await connectClient({ place }), signal: io.signal }) }),
);
