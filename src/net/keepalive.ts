/** TCP keepalive for connections that may be silent for days, so that a vanished peer is noticed. */
import {
  IPPROTO_TCP,
  SOL_SOCKET,
  SO_KEEPALIVE,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  int32,
  setsockopt,
} from '../os/libc.ts';
import type { Connection } from './connection.ts';

const ON = int32(1);
/** Below the 2 h 4 min after which a NAT on the path may drop a silent connection (RFC 5382 REQ-5). */
const IDLE_SECONDS = int32(600);
const INTERVAL_SECONDS = int32(60);
const PROBES = int32(5);

/** How long a half-closed connection is silent before `askWhetherGone`. */
export const HALF_CLOSED_MS = 10_000;
const SOON_SECONDS = int32(30);
const SOON_INTERVAL_SECONDS = int32(15);

/**
 * For a socket whose peer has sent its FIN, and nothing since: starts probes soon. A peer that has only closed its direction
 * answers. If the peer's program is gone, its kernel sends a reset as soon as it has dropped the connection (after a minute,
 * `tcp_fin_timeout`).
 */
export function askWhetherGone(fd: number): void {
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, SOON_SECONDS, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, SOON_INTERVAL_SECONDS, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES, 4);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, ON, 4);
}

/** How long a connection to a server is silent before the kernel is asked to probe it: short ones need no system calls for it. */
const QUIET_MS = 60_000;

/** Probes after ten silent minutes. If set on a listening socket, accepted sockets inherit it, without a system call for each. */
export function enableKeepalive(fd: number): void {
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, ON, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_SECONDS, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, INTERVAL_SECONDS, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES, 4);
}

/** A server that has been silent for a while is probed from now on. The listening socket does this for clients. */
export function probeIfQuiet(connection: Connection, elapsedMs: number): void {
  if (connection.isProbed || elapsedMs < QUIET_MS) return;
  connection.isProbed = true;
  enableKeepalive(connection.down.from);
}
