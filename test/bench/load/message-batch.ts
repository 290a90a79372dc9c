/** Arrays of struct mmsghdr for sendmmsg and recvmmsg, one buffer per message. */
import { addressOf, pinned } from '../../../src/os/libc.ts';

/** struct mmsghdr on 64-bit Linux: msghdr (56 bytes), msg_len, padding. */
export const MMSGHDR_BYTES = 64;
const MSG_NAMELEN = 8;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_LEN = 56;
const IOVEC_BYTES = 16;
const IOV_LEN = 8;
/** struct sockaddr_in6 */
const NAME_BYTES = 28;

export interface MessageBatch {
  /** The argument for the system calls. */
  readonly headers: Uint8Array;
  readonly count: number;
  /** The buffer of each message. */
  readonly buffers: readonly DataView[];
  /** The sender of each message: struct sockaddr_in6. Referenced here because otherwise only the kernel knows its address. */
  readonly nameData: Uint8Array;
  /** How many bytes of a buffer are sent, or may be received. */
  setBytes(index: number, bytes: number): void;
  /** How many bytes the last recvmmsg wrote to a buffer. */
  receivedBytes(index: number): number;
}

/** With `names`, messages are sent back to their sender; without, the socket must be connected. */
export function createMessageBatch(
  count: number,
  bufferBytes: number,
  { names }: { names: boolean },
): MessageBatch {
  const headers = pinned(count * MMSGHDR_BYTES);
  const iovecs = pinned(count * IOVEC_BYTES);
  const data = pinned(count * bufferBytes);
  const nameData = pinned(count * NAME_BYTES);
  const headerView = new DataView(headers.buffer);
  const iovecView = new DataView(iovecs.buffer);
  for (let i = 0; i < count; i++) {
    const at = i * MMSGHDR_BYTES;
    if (names) {
      headerView.setBigUint64(at, addressOf(nameData) + BigInt(i * NAME_BYTES), true);
      headerView.setUint32(at + MSG_NAMELEN, NAME_BYTES, true);
    }
    headerView.setBigUint64(at + MSG_IOV, addressOf(iovecs) + BigInt(i * IOVEC_BYTES), true);
    headerView.setBigUint64(at + MSG_IOVLEN, 1n, true);
    iovecView.setBigUint64(i * IOVEC_BYTES, addressOf(data) + BigInt(i * bufferBytes), true);
    iovecView.setBigUint64(i * IOVEC_BYTES + IOV_LEN, BigInt(bufferBytes), true);
  }
  return {
    headers,
    count,
    buffers: Array.from({ length: count }, (_, i) => new DataView(data.buffer, i * bufferBytes, bufferBytes)),
    nameData,
    setBytes: (index, bytes) => iovecView.setBigUint64(index * IOVEC_BYTES + IOV_LEN, BigInt(bytes), true),
    receivedBytes: (index) => headerView.getUint32(index * MMSGHDR_BYTES + MSG_LEN, true),
  };
}
