/** The sockets of the admin server: one HTTP server an address, all with the same handler, changed while it runs. */
import { type RequestListener, type Server, type ServerResponse, createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionShares } from './connection-shares.ts';
import { type BothProtocols, serveBothProtocols } from './both-protocols.ts';
import { type Text, TextError, reasonOf, say } from '../texts/text.ts';

/** A peer that sends slowly or nothing must not hold a connection for long. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const RETRY_MS = 10_000;
/** How long requests in flight may take when the server ends. */
const CLOSE_TIMEOUT_MS = 1000;

export interface Listeners extends AsyncDisposable {
  /**
   * Listens on these addresses and no others. An address that stays is not touched; connections of one that goes are
   * answered to their end. `strict`: rejects, with the old sockets in place, when a new address cannot be had. Else
   * rejects only when none can, and goes on trying the rest.
   */
  set(addresses: readonly string[], port: number, strict: boolean): Promise<void>;
  /** Where it listens, as the URL has it: "127.0.0.1:8064", "[::1]:8064". */
  bound(): string[];
  /** Where it should listen but cannot, with the reason. */
  missing(): Text[];
}

/**
 * `isAdmitted` is asked for each connection; one that is not is reset before a byte is read. `pem` is the key and
 * certificate for HTTPS on the same port, undefined for none. `shares` bounds the connections of all addresses together.
 */
export function createListeners(
  handler: RequestListener,
  isAdmitted: (socket: Socket) => boolean,
  pem: () => string | undefined,
  shares: ConnectionShares,
): Listeners {
  const servers = new Map<string, Server>();
  const draining = new Set<Server>();
  const protocols = new WeakMap<Server, BothProtocols>();
  const unanswered = new Map<ServerResponse, Server>();
  let wanted = new Map<string, Endpoint>();
  let failures = new Map<string, Error>();
  let retryTimer: NodeJS.Timeout | undefined;

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
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.on('error', (error) => {
      const reason = reasonOf(error);
      reject(
        new TextError(say('admin: could not listen on {address}: {reason}', { address: key, reason }), {
          cause: error,
        }),
      );
    });
    server.listen({ host: address, port, ipv6Only: address.includes(':') }, resolve);
    await promise;
    servers.set(key, server);
  }

  /** Stops listening at once; connections in flight are answered. */
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

  /** Opens what is wanted and not open; resolves to the failures. */
  async function openMissing(endpoints: ReadonlyMap<string, Endpoint>): Promise<Map<string, Error>> {
    const failed = new Map<string, Error>();
    for (const [key, endpoint] of endpoints) {
      if (!servers.has(key)) await open(key, endpoint).catch((error: Error) => failed.set(key, error));
    }
    return failed;
  }

  function scheduleRetry(): void {
    clearTimeout(retryTimer);
    if (failures.size === 0) return;
    retryTimer = setTimeout(async () => {
      failures = await openMissing(wanted);
      scheduleRetry();
    }, RETRY_MS).unref();
  }

  return {
    async set(addresses, port, strict) {
      const next = new Map(addresses.map((address) => [endpointKey({ address, port }), { address, port }]));
      const before = wanted;
      // First, because "0.0.0.0" and an address of its family cannot be bound to one port at the same time.
      for (const key of servers.keys()) if (!next.has(key)) close(key);
      const failed = await openMissing(next);
      const fresh = [...failed].filter(([key]) => !failures.has(key));
      const error = fresh[0]?.[1] ?? [...failed.values()][0];
      if (error !== undefined && ((strict && fresh.length > 0) || servers.size === 0)) {
        for (const key of servers.keys()) if (!before.has(key)) close(key);
        failures = await openMissing(before);
        throw error;
      }
      wanted = next;
      failures = failed;
      scheduleRetry();
    },
    bound: () => [...servers.keys()],
    missing: () => [...failures.values()].map(reasonOf),
    async [Symbol.asyncDispose]() {
      clearTimeout(retryTimer);
      wanted = new Map();
      for (const key of servers.keys()) close(key);
      const ended = [...draining].map((server) => new Promise((resolve) => server.once('close', resolve)));
      const deadline = setTimeout(() => {
        for (const server of draining) protocols.get(server)?.closeAll();
      }, CLOSE_TIMEOUT_MS);
      await Promise.all(ended);
      clearTimeout(deadline);
    },
  };
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const endpointKey = ({ address, port }: Endpoint): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
