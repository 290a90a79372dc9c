/**
 * Makes a TCP port of a namespace reachable on the machine itself. A Unix socket with a path crosses network namespaces:
 * this script, run inside the namespace, joins one to the port; `openRelay` joins a port of the machine to the socket.
 *
 *   node lab/relay.ts SOCKET PORT
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import type { Host } from './host.ts';

const PORTS_TO_TRY = 20;

export interface Relay extends AsyncDisposable {
  /** The port of 127.0.0.1 on the machine. */
  readonly port: number;
}

/** Opens `port` of 127.0.0.1, or the next free one, and forwards it to the same port of 127.0.0.1 in the host's namespace. */
export async function openRelay(host: Host, port: number, directory: string): Promise<Relay> {
  const path = join(directory, `${host.name}-${port}.socket`);
  const child = host.spawn(process.execPath, [import.meta.filename, path, String(port)]);
  await child.waitForLine(/^ready$/);
  const { server, sockets } = relayServer(() => connect(path));
  for (let candidate = port; ; candidate++) {
    try {
      server.listen(candidate, '127.0.0.1');
      await once(server, 'listening');
      break;
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (isTaken && candidate < port + PORTS_TO_TRY) continue;
      await child.stop();
      throw error;
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await child.stop();
    },
  };
}

function relayServer(dial: () => Socket): { server: Server; sockets: Set<Socket> } {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = dial();
    sockets.add(near);
    // An error at one end closes both ends; it is not reported anywhere else.
    pipeline(near, far, near, () => sockets.delete(near));
  });
  return { server, sockets };
}

if (import.meta.main) {
  const [path, port] = process.argv.slice(2);
  const dial = () => connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
  relayServer(dial).server.listen(path, () => console.log('ready'));
}
