/** How many clients wait to be accepted on a listening socket. */
import { IPPROTO_TCP, TCP_INFO, getsockopt, int32, pinned } from '../os/libc.ts';

/** struct tcp_info up to tcpi_unacked, which is the length of the queue of a listening socket. */
const UNACKED = 24;
const INFO_BYTES = UNACKED + 4;
const info = pinned(INFO_BYTES);
const view = new DataView(info.buffer);
const infoBytes = int32(INFO_BYTES);

export function waitingClients(listener: number): number {
  infoBytes[0] = INFO_BYTES;
  if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, info, infoBytes) !== 0) return 0;
  return view.getInt32(UNACKED, true);
}
