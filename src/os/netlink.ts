/** Queries the kernel through a netlink socket. The answer is ready as soon as the query has been sent, so nothing waits. */
import type { Value } from '../texts/text.ts';
import {
  type NetlinkMessage,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  buildNetlinkMessage,
  parseNetlinkMessages,
} from '../wire/netlink.ts';
import {
  E,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SystemCallError,
  check,
  close,
  errno,
  int32,
  pinned,
  recvfrom,
  sendto,
  setsockopt,
  socket,
} from './libc.ts';

export const AF_NETLINK = 16;
export const SOCK_RAW = 3;
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
const SOL_NETLINK = 270;
/** The kernel checks requests strictly and filters lists as requested (Linux 4.20). */
const NETLINK_GET_STRICT_CHK = 12;
/** The kernel sends a list in pieces of at most 32 KiB. */
const ANSWER_BYTES = 32_768;
/** How often a list is requested again if it changed while it was read. */
const TRIES = 5;

export interface NetlinkSocket extends Disposable {
  /**
   * Sends a query and returns the messages of the answer. Throws SystemCallError with `attempted` when the kernel refuses.
   * `parts`: the fixed part of the family, then attributes.
   */
  ask(attempted: Value, type: number, flags: number, parts: readonly Uint8Array[]): NetlinkMessage[];
}

/** In the network namespace of the process. `protocol` is NETLINK_ROUTE or NETLINK_NETFILTER. */
export function openNetlink(protocol: number): NetlinkSocket {
  const fd = check(
    socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol),
    'open a netlink socket',
  );
  // An older kernel lists everything; the caller filters the result anyway.
  if (protocol === NETLINK_ROUTE) setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, int32(1), 4);
  const buffer = pinned(ANSWER_BYTES);
  let sequence = 0;

  /** Undefined when the list changed while it was read. */
  function askOnce(
    attempted: Value,
    type: number,
    flags: number,
    parts: readonly Uint8Array[],
  ): NetlinkMessage[] | undefined {
    sequence = (sequence + 1) >>> 0;
    const request = buildNetlinkMessage({ type, flags: flags | NLM_F_REQUEST, sequence }, parts);
    check(sendto(fd, request, request.length, 0, null, 0), attempted);
    const isDump = (flags & NLM_F_DUMP) === NLM_F_DUMP;
    const answers: NetlinkMessage[] = [];
    let isInterrupted = false;
    for (;;) {
      const bytes = recvfrom(fd, buffer, buffer.length, 0, null, null);
      if (bytes < 0 && errno() === E.EINTR) continue;
      const received = check(bytes, attempted);
      for (const message of parseNetlinkMessages(buffer.slice(0, received))) {
        // Discard unread answers of an earlier query.
        if (message.sequence !== sequence) continue;
        isInterrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          const code = -new DataView(message.body.buffer, message.body.byteOffset).getInt32(0, true);
          if (code > 0) throw new SystemCallError(attempted, code);
          return isInterrupted ? undefined : answers;
        }
        answers.push(message);
        if (!isDump) return answers;
      }
    }
  }

  return {
    ask(attempted, type, flags, parts) {
      for (let i = 0; i < TRIES; i++) {
        const answers = askOnce(attempted, type, flags, parts);
        if (answers !== undefined) return answers;
      }
      throw new SystemCallError(attempted, E.EAGAIN);
    },
    [Symbol.dispose]: () => void close(fd),
  };
}
