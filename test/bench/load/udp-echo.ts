/**
 * `udp-echo.ts PORT`: sends datagrams of up to 2 KB back, both families, in batches and with as little work as possible, so
 * that the measurement shows the cost of the path.
 */
import {
  AF_INET6,
  E,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVBUF,
  SystemCallError,
  bind,
  check,
  errno,
  int32,
  MSG_WAITFORONE,
  recvmmsg,
  sendmmsg,
  setsockopt,
  socket,
} from '../../../src/os/libc.ts';
import { MMSGHDR_BYTES, createMessageBatch } from './message-batch.ts';
import { socketAddress } from './sockets.ts';

const BATCH = 64;
const BUFFER_BYTES = 2048;
const RECEIVE_BUFFER_BYTES = 4 << 20;

const port = Number(process.argv[2]);
const { bytes } = socketAddress('::', port);
const fd = check(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
check(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int32(RECEIVE_BUFFER_BYTES), 4), 'SO_RCVBUF');
check(bind(fd, bytes, bytes.length), `bind port ${port}`);
const batch = createMessageBatch(BATCH, BUFFER_BYTES, { names: true });
console.log('ready');

for (;;) {
  for (let i = 0; i < BATCH; i++) batch.setBytes(i, BUFFER_BYTES);
  const count = recvmmsg(fd, batch.headers, BATCH, MSG_WAITFORONE, null);
  if (count < 0 && errno() !== E.EINTR) throw new SystemCallError('recvmmsg', errno());
  for (let i = 0; i < count; i++) batch.setBytes(i, batch.receivedBytes(i));
  for (let sent = 0; sent < count; ) {
    // An error is about an earlier datagram (an ICMP error), so this one is sent again.
    const rest = sendmmsg(fd, batch.headers.subarray(sent * MMSGHDR_BYTES), count - sent, 0);
    if (rest > 0) sent += rest;
  }
}
