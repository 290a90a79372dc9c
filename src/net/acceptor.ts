/**
 * Accepting: takes connections from the listening sockets, and stops for a while when there is no descriptor for the
 * next one. The sockets are level-triggered, so a full house must leave epoll, or the loop would spin.
 */

import { accept4, E, EPOLLIN, errno, int32, pinned, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../os/libc.ts';
import type { FdLedger } from '../os/fd-ledger.ts';
import type { TcpCounters } from './counters.ts';
import type { Epoll } from './epoll.ts';
import type { TcpEvents } from './events.ts';
import type { Gate } from './gate.ts';
import { type Client, createClient, readClient } from './client.ts';
import { SOCKADDR_BYTES } from '../os/socket-address.ts';

/** Connections taken from one listener before others have their turn. */
const BATCH = 64;
/** How long accepting pauses when descriptors or kernel memory have run out. */
export const PAUSE_MS = 100;

export interface AcceptorOptions {
  readonly epoll: Epoll;
  readonly ledger: FdLedger;
  readonly counters: TcpCounters;
  readonly events: TcpEvents;
  readonly hasRoom: () => boolean;
  /** `client` is valid during the call only. */
  readonly onAccepted: (fd: number, gate: Gate, client: Client) => void;
  /** A listening socket is broken for good. */
  readonly onBroken: (fd: number, code: number) => void;
}

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #peer = pinned(SOCKADDR_BYTES);
  readonly #peerBytes = int32(SOCKADDR_BYTES);
  readonly #client = createClient();
  #gates = new Map<number, Gate>();
  /** Paused: false, or until there is room, or until a time. */
  #paused: 'no' | 'limit' | 'descriptors' = 'no';
  #pausedSinceMs = 0;

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  get paused(): boolean {
    return this.#paused !== 'no';
  }

  /** Listens on exactly these sockets from now on; who already waits on one that goes is taken first. */
  setListeners(gates: Map<number, Gate>, nowMs: number): void {
    const { epoll } = this.#options;
    for (const fd of this.#gates.keys()) {
      if (gates.has(fd)) continue;
      this.accept(fd, nowMs);
      epoll.remove(fd);
    }
    if (!this.paused) for (const fd of gates.keys()) if (!this.#gates.has(fd)) epoll.add(fd, EPOLLIN);
    this.#gates = gates;
  }

  /** Takes what waits on a listening socket; nothing when the descriptor is none. */
  accept(fd: number, nowMs: number): void {
    const gate = this.#gates.get(fd);
    if (gate === undefined) return;
    const { ledger, counters, events, hasRoom, onAccepted } = this.#options;
    for (let i = 0; i < BATCH && !this.paused; i++) {
      if (!hasRoom()) {
        this.#pause('limit', nowMs);
        return;
      }
      this.#peerBytes[0] = SOCKADDR_BYTES; // room again: accept4 writes how much it used
      const client = ledger.add(accept4(fd, this.#peer, this.#peerBytes, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (client < 0) {
        if (!this.#acceptFailed(fd, errno(), nowMs)) return;
        continue;
      }
      events.keepPeer(client, this.#peer);
      counters.values[counters.index.accepted]++;
      readClient(this.#client, this.#peer);
      onAccepted(client, gate, this.#client);
    }
  }

  /** Once a turn: accepts again when there is room, or when time has passed. */
  resume(nowMs: number): void {
    if (this.#paused === 'no') return;
    if (this.#paused === 'descriptors' && ((nowMs - this.#pausedSinceMs) | 0) < PAUSE_MS) return;
    if (!this.#options.hasRoom()) return;
    this.#paused = 'no';
    for (const fd of this.#gates.keys()) this.#options.epoll.add(fd, EPOLLIN);
  }

  #pause(reason: 'limit' | 'descriptors', nowMs: number): void {
    const { values, index } = this.#options.counters;
    values[index[`accept-paused-${reason}`]]++;
    this.#paused = reason;
    this.#pausedSinceMs = nowMs;
    for (const fd of this.#gates.keys()) this.#options.epoll.remove(fd);
  }

  /** True when the next connection may be tried at once. */
  #acceptFailed(fd: number, code: number, nowMs: number): boolean {
    switch (code) {
      case E.EAGAIN:
        return false;
      case E.EMFILE:
      case E.ENFILE:
      case E.ENOBUFS:
      case E.ENOMEM:
        this.#pause('descriptors', nowMs);
        return false;
      case E.EBADF:
      case E.EINVAL:
      case E.ENOTSOCK:
      case E.EOPNOTSUPP:
        this.#options.epoll.remove(fd);
        this.#gates.delete(fd);
        this.#options.onBroken(fd, code);
        return false;
      default: {
        // accept(2): errors of the new connection itself (ECONNABORTED, EPROTO, EPERM, network errors) pass.
        const { values, index } = this.#options.counters;
        values[index['accept-failed']]++;
        return true;
      }
    }
  }
}
