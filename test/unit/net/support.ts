/** Code shared by the tests of the TCP services: servers and clients on loopback. */
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
import type { HostConfig, ProxyConfig } from '../../../src/config/schema.ts';
import type { FollowedOurselves } from '../../../src/os/follow-ourselves.ts';
import { silentLog } from '../../../src/runtime/log.ts';

/** Own addresses for tests whose servers are on loopback: an appliance without any address. */
export const NOBODY: FollowedOurselves = {
  current: { own: [], rows: new Int32Array() },
  onChange: () => ({ [Symbol.dispose]: () => {} }),
};

/** Disposes everything that a test made, last first, also when the test fails. */
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

  /** A server on [::1] that passes on each connection; the handler must deal with half-close. */
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

  /** A client that is connecting to 127.0.0.1. */
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

/** Below the kernel's ephemeral ports (ip_local_port_range): connections of other tests could take those in the meantime. */
const PORTS = { first: 16_384, last: 32_767 };
/** The default of forward.sshPorts: elsewhere in a configuration, ports of this range are refused. */
const SSH_PORTS = { first: 22_001, last: 22_999 };

/** A TCP port without a listener, in both families. */
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

/** All data that a socket receives until its end. */
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
  health: false,
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

/** `limits` of a service when nothing is configured. */
export const LIMITS = { halfClosedTimeoutMs: 600_000 };

/** The fields of the proxy's configuration that most tests do not examine. */
export const MAPPED: Pick<
  ProxyConfig,
  | 'mappedPrefix'
  | 'mappedFallback'
  | 'allowedPrefixes'
  | 'trustedProxies'
  | 'limits'
  | 'workers'
  | 'accessLog'
> = {
  mappedPrefix: '64:ff9b:1:fffe::/96',
  mappedFallback: 'none',
  limits: LIMITS,
  allowedPrefixes: [],
  /** `TOMBOLO_WORKERS=2 npm test -- proxy` runs the tests of the proxy with two. */
  workers: Number(process.env['TOMBOLO_WORKERS'] ?? 1),
  trustedProxies: [],
  accessLog: 'off',
};

/** Bytes that depend on their position, so that reordering or loss is detected. */
export function patternBytes(length: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
