/** A steady flow of numbered datagrams, and the round-trip time of each. Orders: see `UdpStreamOrders`. */
import {
  MSG_DONTWAIT,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVBUF,
  check,
  close,
  connect,
  int32,
  pinned,
  poll,
  recvmmsg,
  sendto,
  setsockopt,
  socket,
} from '../../../src/os/libc.ts';
import { serveOrders } from './commands.ts';
import { createMessageBatch } from './message-batch.ts';
import { socketAddress } from './sockets.ts';

const BATCH = 64;
const PAYLOAD_BYTES = 64;
const RECEIVE_BUFFER_BYTES = 4 << 20;
/** A datagram that has not come back this long after the last one was sent is lost. */
const GRACE_MS = 500;

interface StreamOrder {
  readonly address: string;
  readonly port: number;
  readonly packetsPerSecond: number;
  readonly seconds: number;
}

export interface StreamResult {
  readonly sent: number;
  /** Numbers that never came back. */
  readonly lost: number;
  /** Round trips, in milliseconds. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

function stream({ address, port, packetsPerSecond, seconds }: StreamOrder): StreamResult {
  const target = socketAddress(address, port);
  const fd = check(socket(target.family, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
  check(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int32(RECEIVE_BUFFER_BYTES), 4), 'SO_RCVBUF');
  check(connect(fd, target.bytes, target.bytes.length), `connect ${address} port ${port}`);
  const total = Math.round(packetsPerSecond * seconds);
  const sentAtMs = new Float64Array(total);
  const roundTripMs = new Float64Array(total).fill(Number.POSITIVE_INFINITY);
  const payload = pinned(PAYLOAD_BYTES);
  const payloadView = new DataView(payload.buffer);
  const batch = createMessageBatch(BATCH, PAYLOAD_BYTES, { names: false });
  const pollFd = pinned(8);
  new DataView(pollFd.buffer).setInt32(0, fd, true);
  new DataView(pollFd.buffer).setInt16(4, POLLIN, true);

  let answered = 0;
  function receive(): void {
    const count = recvmmsg(fd, batch.headers, BATCH, MSG_DONTWAIT, null);
    const now = performance.now();
    for (let i = 0; i < count; i++) {
      const number = batch.buffers[i].getUint32(0);
      if (number >= total || roundTripMs[number] !== Number.POSITIVE_INFINITY) continue;
      roundTripMs[number] = now - sentAtMs[number];
      answered++;
    }
  }

  const startedAt = performance.now();
  let sent = 0;
  let lastSentAt = startedAt;
  while (answered < total && performance.now() < lastSentAt + GRACE_MS) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * packetsPerSecond));
    for (; sent < due; sent++) {
      payloadView.setUint32(0, sent);
      sentAtMs[sent] = lastSentAt = performance.now();
      // Never blocks for long: the queue of the device is the only one on the path. A datagram that is refused counts as lost.
      sendto(fd, payload, PAYLOAD_BYTES, 0, null, 0);
    }
    if (poll(pollFd, 1, 1) > 0) receive();
  }
  close(fd);
  const sorted = roundTripMs.toSorted();
  const at = (share: number) => sorted[Math.min(answered - 1, Math.floor(answered * share))];
  if (answered === 0) throw new Error(`no datagram came back from ${address} port ${port}`);
  return { sent: total, lost: total - answered, medianMs: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

const orders = { stream };
export type UdpStreamOrders = typeof orders;

serveOrders(orders);
