/** How much of what was sent on a socket its peer has not acknowledged. */
import { IPPROTO_TCP, SIOCOUTQ, TCP_CLOSE, TCP_INFO, getsockopt, int32, ioctl, pinned } from '../os/libc.ts';

const bytes = pinned(4);
const view = new DataView(bytes.buffer);
/** struct tcp_info, whose first byte is the state. */
const info = pinned(1);
const infoBytes = int32(1);

/** Bytes in the send queue that may still be acknowledged; 0 if the peer is gone. */
export function unsentBytes(fd: number): number {
  if (ioctl(fd, SIOCOUTQ, bytes) < 0) return 0;
  const unsent = view.getInt32(0, true);
  if (unsent === 0) return 0;
  // SIOCOUTQ counts sequence numbers: after a reset by the peer its value never changes again.
  infoBytes[0] = 1;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, infoBytes) === 0 && info[0] === TCP_CLOSE ? 0 : unsent;
}
