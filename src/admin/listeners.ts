/** The sockets of the admin server: one HTTP server per address, all with the same handler, changed at run time. */
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { boundAddresses } from '../config/values.ts';
import type { ConnectionShares } from './connection-shares.ts';
import { type BothProtocols, serveBothProtocols } from './both-protocols.ts';
import { type SocketAddress, formatSocketAddress } from '../os/socket-address.ts';
import { createMissing } from '../net/missing.ts';
import { orAborted } from '../runtime/drain.ts';
import type { EventSink } from '../runtime/events.ts';
import type { Logger } from '../runtime/log.ts';
import { parseIpAddress } from '../wire/ip-address.ts';
import { type Text, TextError, reasonOf, say } from '../texts/text.ts';
import { createInTurn } from '../os/in-turn.ts';

// An import would read every property of the module, and so load undici: 55 ms of the start, and 2 MB.
const { createServer } = process.getBuiltinModule('node:http');

/** A peer that sends slowly or nothing must not hold a connection for long. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How long requests in flight may take when the server stops. */
const CLOSE_TIMEOUT_MS = 1000;

export interface Listeners extends AsyncDisposable {
  /**
   * Listens on these addresses and no others. An address that stays is not touched. When an address is removed, requests on its
   * connections are still answered. An address that cannot be bound is missing and is retried. `strict`: if an address cannot
   * be bound that was not missing before, this rejects, and the old sockets stay.
   */
  set(addresses: readonly string[], port: number, strict: boolean): Promise<void>;
  /** Where it listens, in URL form: "127.0.0.1:8064", "[::1]:8064". */
  bound(): string[];
  /** Where it should listen but cannot, with the reason. */
  readonly problem: Text | undefined;
  /** Stops listening. Resolves when all requests have been answered, or when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
}

/**
 * `isAdmitted` is called for each connection; a refused one is reset before a byte is read. `pem` is the key and certificate
 * for HTTPS on the same port, undefined for none. `shares` limits the connections of all addresses together.
 */
export function createListeners(
  handler: RequestListener,
  isAdmitted: (socket: Socket) => boolean,
  pem: () => string | undefined,
  shares: ConnectionShares,
  { log, events }: { readonly log: Logger; readonly events?: EventSink | undefined },
): Listeners {
  const servers = new Map<string, Server>();
  const draining = new Set<Server>();
  const protocols = new WeakMap<Server, BothProtocols>();
  const unanswered = new Map<ServerResponse, Server>();
  let wanted = new Map<string, Endpoint>();
  /** A change and the regular retries must not overlap. */
  const inTurn = createInTurn();
  const missing = createMissing({
    service: 'admin',
    log,
    events,
    retry: () => inTurn(async () => noteMissing(await openMissing(wanted))),
  });

  function noteMissing(failed: ReadonlyMap<string, Error>): void {
    missing.set(
      Array.from(failed, ([key, error]) => ({ protocol: 'tcp', ...addressOf(wanted.get(key)!), error })),
      (_protocol, { address, port }) =>
        [...servers.keys()].some((key) => isSame(addressOf(wanted.get(key)!), { address, port })),
    );
  }

  async function open(key: string, { address, port }: Endpoint): Promise<void> {
    const server = createServer(
      { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
      handler,
    );
    server.on('connection', (socket) => {
      if (isAdmitted(socket)) shares.add(socket);
      else socket.resetAndDestroy();
    });
    protocols.set(server, serveBothProtocols(server, pem));
    server.prependListener('request', ({ socket }, response) => {
      const answered = shares.request(socket);
      unanswered.set(response, server);
      response.once('close', () => {
        unanswered.delete(response);
        answered();
      });
    });
    await listenOn(server, key, { address, port });
    servers.set(key, server);
  }

  /** Stops listening at once; requests in flight are answered. */
  function close(key: string): void {
    const server = servers.get(key);
    if (server === undefined) return;
    servers.delete(key);
    draining.add(server);
    server.close(() => draining.delete(server));
    protocols.get(server)?.closeSilent();
    for (const [response, owner] of unanswered) {
      if (owner === server && !response.headersSent) response.setHeader('connection', 'close');
    }
  }

  /** Opens the endpoints that are missing; resolves to the failures. */
  async function openMissing(endpoints: ReadonlyMap<string, Endpoint>): Promise<Map<string, Error>> {
    const failed = new Map<string, Error>();
    for (const [key, endpoint] of endpoints) {
      if (!servers.has(key)) await open(key, endpoint).catch((error: Error) => failed.set(key, error));
    }
    return failed;
  }

  async function set(addresses: readonly string[], port: number, strict: boolean): Promise<void> {
    const next = new Map(
      boundAddresses(addresses).map((address) => [endpointKey({ address, port }), { address, port }]),
    );
    const before = wanted;
    // First, because "0.0.0.0" and an address of its family cannot be bound to one port at the same time.
    for (const key of servers.keys()) if (!next.has(key)) close(key);
    const failed = await openMissing(next);
    const fresh = [...failed].find(([key]) => !missing.has('tcp', addressOf(next.get(key)!)));
    if (strict && fresh !== undefined) {
      for (const key of servers.keys()) if (!before.has(key)) close(key);
      noteMissing(await openMissing(before));
      throw fresh[1];
    }
    wanted = next;
    noteMissing(failed);
  }

  const closeAll = () => {
    missing[Symbol.dispose]();
    wanted = new Map();
    for (const key of servers.keys()) close(key);
    return Promise.all(
      [...draining].map((server) => new Promise((resolve) => server.once('close', resolve))),
    );
  };

  return {
    set: (addresses, port, strict) => inTurn(() => set(addresses, port, strict)),
    drain: (signal) => inTurn(() => orAborted(closeAll(), signal)),
    bound: () => [...servers.keys()],
    get problem() {
      return missing.problem;
    },
    async [Symbol.asyncDispose]() {
      const ended = inTurn(closeAll);
      const deadline = setTimeout(() => {
        for (const server of draining) protocols.get(server)?.closeAll();
      }, CLOSE_TIMEOUT_MS);
      await ended;
      clearTimeout(deadline);
    },
  };
}

/** Rejects with an error that says what was tried. */
function listenOn(server: Server, key: string, { address, port }: Endpoint): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.on('error', (error) => {
    const reason = reasonOf(error);
    reject(
      Object.assign(
        new TextError(say('admin: could not listen on {address}: {reason}', { address: key, reason }), {
          cause: error,
        }),
        { code: (error as NodeJS.ErrnoException).code },
      ),
    );
  });
  server.listen({ host: address, port, ipv6Only: address.includes(':') }, resolve);
  return promise;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const addressOf = ({ address, port }: Endpoint): SocketAddress => ({
  address: parseIpAddress(address) ?? new Uint8Array(16),
  port,
});
const isSame = (a: SocketAddress, b: SocketAddress): boolean =>
  formatSocketAddress(a) === formatSocketAddress(b);

const endpointKey = ({ address, port }: Endpoint): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
