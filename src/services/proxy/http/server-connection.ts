/** Connections to servers that are kept for the next request (RFC 9112 section 9.3). */
import {
  E,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_PEEK,
  TCP_USER_TIMEOUT,
  errno,
  int32,
  pinned,
  placeOf,
  recvAt,
  setsockopt,
} from '../../../os/libc.ts';
import type { Loop, Parked } from '../../../net/loop.ts';
import type { Backend } from '../host-table.ts';

/** A byte and its address in one object: as long as one is used, the other is kept. */
const peeked = { byte: pinned(1), at: 0 };
peeked.at = placeOf(peeked.byte);
/** How long a request on a used connection may be unacknowledged. */
const VANISHED_MS = int32(5000);
const NO_TIMEOUT = int32(0);

/** How long a connection waits for its next request: less than the 60 s and more of nginx and Apache. */
const IDLE_MS = 30_000;
/** We close this long before the server would, so that a request does not meet its close. */
const SAFETY_MS = 1000;
/** How long the word of a server counts for requests that must not be sent twice. */
const SURE_MS = 1000;
/** How many connections wait for one server, and for all servers together. */
const MAX_PER_SERVER = 64;
const MAX_PARKED = 1024;

/** Connections that wait for requests. */
export interface ServerPool {
  readonly idle: ServerConnection[];
  /** Of an earlier configuration: no connection waits in it any more. */
  isStale: boolean;
}

/** How many connections wait, over all pools of the thread. */
let parkedConnections = 0;
const pools = new Set<ServerPool>();

export function createServerPool(): ServerPool {
  const pool: ServerPool = { idle: [], isStale: false };
  pools.add(pool);
  return pool;
}

/**
 * Closes the connection that has waited longest for the server with most of them, if that has more than this one. The pools are
 * looked at one by one, but only at the limit, and there is one for each server.
 */
function makeRoom(loop: Loop, { idle }: ServerPool): boolean {
  let most = idle;
  for (const pool of pools) if (pool.idle.length > most.length) most = pool.idle;
  if (most.length <= idle.length + 1) return false;
  most[0].close(loop);
  return true;
}

export class ServerConnection implements Parked {
  readonly fd: number;
  readonly backend: Backend;
  /** Which of the server's addresses it leads to; -1 if it has one. */
  readonly address: number;
  readonly #pool: ServerPool;
  /** It may be authenticated for its client (NTLM, Negotiate), and carries no request of another one. */
  isPersonal = false;
  #hasTimeout = false;
  isConnected = false;
  /** The beginning of an answer's head that is not complete. */
  left: Uint8Array | null = null;
  parkedMs = 0;
  #parkedTurn = 0;
  /** The server has said that it keeps the connection (Keep-Alive: timeout). */
  isPromised = false;
  #idleMs = IDLE_MS;

  constructor(fd: number, backend: Backend, address: number, pool: ServerPool) {
    this.fd = fd;
    this.backend = backend;
    this.address = address;
    this.#pool = pool;
  }

  /**
   * Waits for the next request. `keepAliveSeconds`: how long the server says that it keeps the connection (Keep-Alive: timeout), -1
   * for no word. False if there is no room, or no time: then the caller closes it.
   */
  park(loop: Loop, keepAliveSeconds: number): boolean {
    const { idle, isStale } = this.#pool;
    const idleMs = keepAliveSeconds < 0 ? IDLE_MS : Math.min(IDLE_MS, keepAliveSeconds * 1000 - SAFETY_MS);
    if (isStale || idleMs <= 0) return false;
    // Each worker has its part.
    const { workers } = loop;
    if (idle.length >= MAX_PER_SERVER / workers) return false;
    if (parkedConnections >= MAX_PARKED / workers && !makeRoom(loop, this.#pool)) return false;
    this.#idleMs = idleMs;
    this.wait(loop, keepAliveSeconds);
    loop.parked[this.fd] = this;
    idle.push(this);
    parkedConnections++;
    return true;
  }

  /**
   * A server that has vanished acknowledges nothing, in contrast to a slow one. Only for requests without a body: a server that
   * takes no more of a body for a while (a closed window) would be taken for vanished, too.
   */
  expectAcknowledgement(isExpected: boolean): void {
    if (this.#hasTimeout === isExpected) return;
    this.#hasTimeout = isExpected;
    setsockopt(this.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, isExpected ? VANISHED_MS : NO_TIMEOUT, 4);
  }

  /** An answer is whole. */
  wait({ nowMs, turn }: Loop, keepAliveSeconds: number): void {
    this.parkedMs = nowMs;
    this.#parkedTurn = turn;
    this.isPromised = keepAliveSeconds * 1000 > SAFETY_MS;
  }

  /**
   * Whether a request that must not be sent twice may go over it. The server may be closing it at this moment: what it did before
   * proves nothing, only what it said. So it needs the server's word, and a short time.
   */
  isSure({ nowMs }: Loop): boolean {
    return this.isPromised && ((nowMs - this.parkedMs) | 0) < SURE_MS;
  }

  /**
   * Whether the kernel must be asked what has arrived, before the connection is used again: what is there before a request answers
   * none, and would be taken for its answer. In a later turn than that of the last answer, the engine has handled its events.
   */
  mayHaveEnded({ turn }: Loop): boolean {
    return this.#parkedTurn === turn && this.hasEnded();
  }

  /** The server has closed it, or sent something, and its event was not handled yet. */
  hasEnded(): boolean {
    return recvAt(this.fd, peeked.at, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno() !== E.EAGAIN;
  }

  /** The server has closed it, or sent bytes that nobody asked for. Or the event is of before: then it stays. */
  onEvents(loop: Loop): void {
    if (this.hasEnded()) this.close(loop);
  }

  close(loop: Loop): void {
    this.#leave(loop);
    loop.closer.close(this.fd);
  }

  onDeadline(loop: Loop): void {
    if (this.#pool.isStale || ((loop.nowMs - this.parkedMs) | 0) >= this.#idleMs) this.close(loop);
  }

  #leave(loop: Loop): void {
    const { idle } = this.#pool;
    leaveIdle(idle, idle.indexOf(this));
    this.unpark(loop);
  }

  /** It is no longer in its pool. */
  unpark(loop: Loop): void {
    loop.parked[this.fd] = undefined;
    parkedConnections--;
  }
}

/** Mostly it is the last one, and splice would allocate. */
function leaveIdle(idle: ServerConnection[], at: number): void {
  if (at === idle.length - 1) idle.pop();
  else idle.splice(at, 1);
}

/**
 * The connection to the address (-1 for the only one) that was used last, whose time-out is furthest. undefined if none waits, or
 * none that `isSure`. Those that have ended are closed.
 */
export function takeIdle(
  loop: Loop,
  { idle }: ServerPool,
  address: number,
  mustBeSure: boolean,
): ServerConnection | undefined {
  for (let at = idle.length - 1; at >= 0; at--) {
    const server = idle[at];
    if (server.address !== address) continue;
    if (mustBeSure && !server.isSure(loop)) return undefined;
    if (mustBeSure ? server.hasEnded() : server.mayHaveEnded(loop)) {
      server.close(loop);
      continue;
    }
    leaveIdle(idle, at);
    server.unpark(loop);
    return server;
  }
  return undefined;
}

/** Closes what waits for this address: the server behind it has vanished. */
export function closeIdle(loop: Loop, { idle }: ServerPool, address: number): void {
  for (const server of [...idle]) if (server.address === address) server.close(loop);
}

/** Closes all of them: servers or settings have changed. */
export function closePool(loop: Loop, pool: ServerPool): void {
  while (pool.idle.length > 0) pool.idle[0].close(loop);
  pools.delete(pool);
}
