/**
 * Accepts connections from the listening sockets, and pauses when there is no room or no descriptor for the next one. The
 * sockets are level-triggered, so during a pause they must be removed from epoll, or the loop would spin.
 */

import {
  accept4At,
  E,
  EPOLLEXCLUSIVE,
  EPOLLIN,
  errno,
  int32,
  pinned,
  placeOf,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from '../os/libc.ts';
import type { FdLedger } from '../os/fd-ledger.ts';
import type { TcpCounters } from './counters.ts';
import type { Epoll } from './epoll.ts';
import type { TcpEvents } from './events.ts';
import type { Gate } from './gate.ts';
import { type Client, createClient, readClient } from './client.ts';
import { SOCKADDR_BYTES } from '../os/socket-address.ts';

/** Each worker of a service watches the same sockets. */
const ARRIVALS = EPOLLIN | EPOLLEXCLUSIVE;
/** How many connections are accepted from one listener before the others have their turn. */
const BATCH = 64;
/** How long accepting pauses if descriptors or kernel memory have run out. */
export const PAUSE_MS = 100;

export interface AcceptorOptions {
  readonly epoll: Epoll;
  readonly ledger: FdLedger;
  readonly counters: TcpCounters;
  readonly events: TcpEvents;
  readonly hasRoom: () => boolean;
  /** Passes the connection on to another worker; false if it stays here. `peer`: what accept4 wrote. */
  readonly passOn: (fd: number, listenerFd: number, peer: Uint8Array) => boolean;
  /** `client` is only valid during the call. */
  readonly onAccepted: (fd: number, gate: Gate, client: Client) => void;
  /** A listening socket is permanently broken. */
  readonly onBroken: (fd: number, code: number) => void;
}

export interface Acceptor {
  readonly paused: boolean;
  /** Listens on exactly these sockets from now on. Clients that wait on a socket to be removed are accepted first. */
  setListeners(gates: Map<number, Gate>, nowMs: number): void;
  /** The gate of a listening socket, also of one that was removed by the last change: another worker may still accept on it. */
  gateOf(fd: number): Gate | undefined;
  /** Accepts the clients that wait on a listening socket; does nothing for any other descriptor. */
  accept(fd: number, nowMs: number): void;
  /** Call once per turn: resumes accepting when there is room, or when the pause is over. */
  resume(nowMs: number): void;
}

export function createAcceptor(options: AcceptorOptions): Acceptor {
  const { epoll, ledger, counters, events, hasRoom, passOn, onAccepted, onBroken } = options;
  const { values, index } = counters;
  const peer = pinned(SOCKADDR_BYTES);
  const peerBytes = int32(SOCKADDR_BYTES);
  const peerAt = placeOf(peer);
  const peerBytesAt = placeOf(peerBytes);
  const client = createClient();
  let listening = new Map<number, Gate>();
  let previous = listening;
  /** 'limit': paused until there is room. 'descriptors': paused for PAUSE_MS, and until there is room. */
  let paused: 'no' | 'limit' | 'descriptors' = 'no';
  let pausedSinceMs = 0;

  function pause(reason: 'limit' | 'descriptors', nowMs: number): void {
    values[index[`accept-paused-${reason}`]]++;
    paused = reason;
    pausedSinceMs = nowMs;
    for (const fd of listening.keys()) epoll.remove(fd);
  }

  /** True if the next connection may be tried at once. */
  function acceptFailed(fd: number, code: number, nowMs: number): boolean {
    switch (code) {
      case E.EAGAIN:
        return false;
      case E.EMFILE:
      case E.ENFILE:
      case E.ENOBUFS:
      case E.ENOMEM:
        pause('descriptors', nowMs);
        return false;
      case E.EBADF:
      case E.EINVAL:
      case E.ENOTSOCK:
      case E.EOPNOTSUPP:
        epoll.remove(fd);
        listening.delete(fd);
        onBroken(fd, code);
        return false;
      default:
        // accept(2): these errors concern only the new connection itself (ECONNABORTED, EPROTO, EPERM, network errors).
        values[index['accept-failed']]++;
        return true;
    }
  }

  function accept(fd: number, nowMs: number): void {
    const gate = listening.get(fd);
    if (gate === undefined) return;
    for (let i = 0; i < BATCH && paused === 'no'; i++) {
      if (!hasRoom()) return pause('limit', nowMs);
      peerBytes[0] = SOCKADDR_BYTES; // set again each time: accept4 overwrites it with the length used
      const accepted = ledger.add(accept4At(fd, peerAt, peerBytesAt, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (accepted < 0) {
        if (!acceptFailed(fd, errno(), nowMs)) return;
        continue;
      }
      values[index.accepted]++;
      if (passOn(accepted, fd, peer)) continue;
      events.keepPeer(accepted, peer);
      readClient(client, peer);
      onAccepted(accepted, gate, client);
    }
  }

  return {
    get paused() {
      return paused !== 'no';
    },
    setListeners(gates, nowMs) {
      for (const fd of listening.keys()) {
        if (gates.has(fd)) continue;
        accept(fd, nowMs);
        epoll.remove(fd);
      }
      if (paused === 'no') for (const fd of gates.keys()) if (!listening.has(fd)) epoll.add(fd, ARRIVALS);
      if ([...listening.keys()].some((fd) => !gates.has(fd))) previous = listening;
      listening = gates;
      // The kernel may have woken a worker that has died since, before it accepted.
      for (const fd of listening.keys()) accept(fd, nowMs);
    },
    gateOf: (fd) => listening.get(fd) ?? previous.get(fd),
    accept,
    resume(nowMs) {
      if (paused === 'no') return;
      if (paused === 'descriptors' && ((nowMs - pausedSinceMs) | 0) < PAUSE_MS) return;
      if (!hasRoom()) return;
      paused = 'no';
      for (const fd of listening.keys()) epoll.add(fd, ARRIVALS);
    },
  };
}
