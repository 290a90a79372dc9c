/** What the tests of the TCP services share: servers and clients on loopback. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
  connect,
  createServer,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostConfig } from '../../../src/config/schema.ts';
import type { FollowedOurselves } from '../../../src/os/follow-ourselves.ts';
import { silentLog } from '../../../src/runtime/log.ts';

/** Ourselves for tests whose servers are on loopback: an appliance without a single address. */
export const NOBODY: FollowedOurselves = {
  current: { own: [], rows: new Int32Array() },
  onChange: () => ({ [Symbol.dispose]: () => {} }),
};

/** Disposes, last first, what a test made, also when it fails. */
export class Cleanup implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly stateDirectory = mkdtempSync(join(tmpdir(), 'tombolo-test-'));

  constructor() {
    this.#stack.defer(() => rmSync(this.stateDirectory, { recursive: true, force: true }));
  }

  use<T extends AsyncDisposable>(resource: T): T {
    return this.#stack.use(resource);
  }

  defer(task: () => void | Promise<void>): void {
    this.#stack.defer(task);
  }

  get context() {
    return { log: silentLog, stateDirectory: this.stateDirectory, ourselves: NOBODY };
  }

  /** A server on [::1] that hands each connection over; half-close is the handler's to deal with. */
  async listen(onConnection: (socket: Socket) => void, port = 0): Promise<number> {
    const sockets = new Set<Socket>();
    const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    server.listen(port, '::1');
    await once(server, 'listening');
    this.defer(() => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  /** A client on its way to 127.0.0.1. */
  open(port: number, options: Partial<NetConnectOpts> = {}): Socket {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, ...options } as NetConnectOpts);
    socket.on('error', () => {});
    this.defer(() => void socket.destroy());
    return socket;
  }

  /** A client connected to 127.0.0.1. */
  async connect(port: number, options: Partial<NetConnectOpts> = {}): Promise<Socket> {
    const socket = this.open(port, options);
    await once(socket, 'connect');
    return socket;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Below what the kernel gives to clients (ip_local_port_range): a connection of another test would take it meanwhile. */
const PORTS = { first: 16_384, last: 32_767 };
/** forward.sshPorts, when a test does not set it: a port in it is refused elsewhere in a configuration. */
const SSH_PORTS = { first: 22_001, last: 22_999 };

/** A TCP port that nothing listens on, on either family. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.last + 1);
    if (port >= SSH_PORTS.first && port <= SSH_PORTS.last) continue;
    const server = createServer().listen(port, '::');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

export interface Received {
  readonly bytes: Buffer;
  /** How it ended: "end" by FIN, or the error's code. */
  readonly ended: string;
}

/** Everything that a socket receives until its end. */
export function receive(socket: Socket): Promise<Received> {
  const chunks: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<Received>();
  const finish = (ended: string) => resolve({ bytes: Buffer.concat(chunks), ended });
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => finish('end'));
  socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  socket.on('close', () => finish('close'));
  return promise;
}

/** A server's entry in the configuration, at [::1]. */
export const hostAt = (name: string, fields: Partial<HostConfig> = {}): HostConfig => ({
  name,
  address: '::1',
  balance: 'order',
  enabled: true,
  maintenance: false,
  hostnames: [],
  services: [],
  clientAddress: 'none',
  allow: ['any'],
  redirectToHttps: false,
  ssh: false,
  ...fields,
});

/** The fields of the proxy's configuration about mapped addresses. */
export const MAPPED = { mappedPrefix: '64:ff9b:1:fffe::/96', mappedFallback: 'none' } as const;

/** Bytes that tell their own position, so that reordering or loss shows. */
export function patternBytes(length: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
