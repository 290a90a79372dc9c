/** TCP keepalive for connections that may be silent for days: a peer that vanished is noticed all the same. */
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

const ON = int32(1);
/** Below the 2 h 4 min that RFC 5382 (REQ-5) lets a NAT on the way forget a silent connection after. */
const IDLE_SECONDS = int32(600);
const INTERVAL_SECONDS = int32(60);
const PROBES = int32(5);

const SOON_SECONDS = int32(30);
const SOON_INTERVAL_SECONDS = int32(15);

/**
 * For a socket whose peer has sent its FIN, and nothing since: probes soon. A peer that has only ended its direction answers; one whose program is
 * gone says so with a reset, once its kernel has forgotten the connection (a minute, `tcp_fin_timeout`).
 */
export function askWhetherGone(fd: number): void {
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, SOON_SECONDS, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, SOON_INTERVAL_SECONDS, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES, 4);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, ON, 4);
}

/** Probes after ten silent minutes. On a listening socket: accepted sockets inherit it. */
export function enableKeepalive(fd: number): void {
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, ON, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_SECONDS, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, INTERVAL_SECONDS, 4);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES, 4);
}
