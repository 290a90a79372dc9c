/** Sends small datagrams as fast as one thread can. Orders: see `UdpFloodOrders`. */
import {
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  addressOf,
  check,
  close,
  connect,
  pinned,
  sendmmsg,
  socket,
} from '../../../src/os/libc.ts';
import { serveOrders } from './commands.ts';
import { socketAddress } from './sockets.ts';

const BATCH = 32;
/** struct mmsghdr on 64-bit Linux: msghdr (56 bytes), msg_len, padding. */
const MMSGHDR_BYTES = 64;

interface FloodOrder {
  readonly address: string;
  readonly port: number;
  /** Number of sockets, and so of flows, that are used in turn. */
  readonly flows: number;
  readonly payloadBytes: number;
  readonly seconds: number;
}

function flood({ address, port, flows, payloadBytes, seconds }: FloodOrder): {
  sent: number;
  seconds: number;
} {
  const target = socketAddress(address, port);
  const fds = Array.from({ length: flows }, () => {
    const fd = check(socket(target.family, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
    check(connect(fd, target.bytes, target.bytes.length), `connect ${address} port ${port}`);
    return fd;
  });
  const payload = pinned(payloadBytes);
  const iovec = pinned(16);
  const iovecView = new DataView(iovec.buffer);
  iovecView.setBigUint64(0, addressOf(payload), true);
  iovecView.setBigUint64(8, BigInt(payloadBytes), true);
  const messages = pinned(BATCH * MMSGHDR_BYTES);
  const view = new DataView(messages.buffer);
  for (let i = 0; i < BATCH; i++) {
    view.setBigUint64(i * MMSGHDR_BYTES + 16, addressOf(iovec), true); // msg_iov
    view.setBigUint64(i * MMSGHDR_BYTES + 24, 1n, true); // msg_iovlen
  }
  let sent = 0;
  const startedAt = performance.now();
  const deadline = startedAt + seconds * 1000;
  while (performance.now() < deadline) {
    for (const fd of fds) sent += Math.max(0, sendmmsg(fd, messages, BATCH, 0));
  }
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  for (const fd of fds) close(fd);
  return { sent, seconds: elapsedSeconds };
}

const orders = { flood };
export type UdpFloodOrders = typeof orders;

serveOrders(orders);
