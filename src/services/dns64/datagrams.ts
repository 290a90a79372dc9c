/**
 * Datagrams in batches: recvmmsg(2) fills the slots, replies overwrite the queries, sendmmsg(2) sends the slots back to their
 * senders. Each datagram's control message contains the address that the client asked, and makes the reply leave from it: on a
 * host with several addresses, clients drop a reply from a different one.
 */
import { MSG_DONTWAIT, addressOf, pinned, recvmmsg, sendmmsg, sendmsg } from '../../os/libc.ts';
import { SOCKADDR_BYTES } from '../../os/socket-address.ts';
import { type Memory, newMemory } from './memory.ts';

/** Space for the longest reply and a word, in whole cache lines. A longer query is cut off, and therefore malformed. */
export const SLOT_BYTES = 1280;
/** A sockaddr, in words. */
export const SOURCE_BYTES = 32;
/** CMSG_SPACE(sizeof(struct in6_pktinfo)), the larger of the two. */
export const CONTROL_BYTES = 40;
const CONTROL_STRIDE = 48;

// struct mmsghdr { struct msghdr { name, namelen, iov, iovlen, control, controllen, flags }, len }, and struct iovec.
const HEADER_BYTES = 64;
const HEADER_WORDS = HEADER_BYTES >> 2;
const NAMELEN = 2;
const CONTROLLEN = 10;
const LENGTH = 14;
const IOVEC_BYTES = 16;

// Offsets in a control message whose data is in_pktinfo { ifindex, spec_dst, addr } or in6_pktinfo { addr, ifindex }.
const CONTROL_DATA = 16;
const IPV4_INTERFACE = CONTROL_DATA;
const IPV4_DESTINATION = CONTROL_DATA + 8;
const IPV6_DESTINATION = CONTROL_DATA;
const IPV6_INTERFACE = CONTROL_DATA + 16;

/** Whether the datagram with this control message was sent to a multicast or broadcast address, from which no reply can be sent. */
export function wasMulticast(control: Uint8Array, at: number, isIpv6: boolean): boolean {
  return isIpv6 ? control[at + IPV6_DESTINATION] === 0xff : control[at + IPV4_DESTINATION] >= 224;
}

/**
 * Makes the reply follow the routing table instead of leaving through the interface on which the query arrived (they differ on
 * hosts with several uplinks). Link-local addresses are only valid with their interface and keep it.
 */
export function forgetInterface(control: Uint8Array, at: number, isIpv6: boolean): void {
  const isLinkLocal =
    isIpv6 && control[at + IPV6_DESTINATION] === 0xfe && (control[at + IPV6_DESTINATION + 1] & 0xc0) === 0x80;
  if (isLinkLocal) return;
  const from = at + (isIpv6 ? IPV6_INTERFACE : IPV4_INTERFACE);
  control[from] = control[from + 1] = control[from + 2] = control[from + 3] = 0;
}

export interface DatagramBatch {
  readonly slots: Memory;
  readonly sources: Memory;
  readonly controls: Uint8Array;
  /** Offset of a slot's control message in `controls`. */
  controlAt(slot: number): number;
  /** Length of the control message that came with a datagram. */
  controlBytes(slot: number): number;
  /** Receives without waiting; returns the number of filled slots, or recvmmsg's result if it failed. */
  receive(fd: number): number;
  /** Length of a received datagram. */
  received(slot: number): number;
  /** Sets the length of a slot's reply. */
  reply(slot: number, bytes: number): void;
  /** Sends the slots from `first` up to, but not including, `end`; returns how many the kernel accepted. */
  send(fd: number, first: number, end: number): number;
}

export function datagramBatch(count: number): DatagramBatch {
  const slots = newMemory(count * SLOT_BYTES);
  const sources = newMemory(count * SOURCE_BYTES);
  const controls = pinned(count * CONTROL_STRIDE);
  const vectors = newMemory(count * IOVEC_BYTES);
  const headers = newMemory(count * HEADER_BYTES);
  const headerView = new DataView(headers.bytes.buffer);
  const vectorView = new DataView(vectors.bytes.buffer);
  const [slotsAt, sourcesAt, controlsAt, vectorsAt] = [
    slots.bytes,
    sources.bytes,
    controls,
    vectors.bytes,
  ].map(addressOf);
  for (let i = 0; i < count; i++) {
    vectorView.setBigUint64(i * IOVEC_BYTES, slotsAt + BigInt(i * SLOT_BYTES), true);
    headerView.setBigUint64(i * HEADER_BYTES, sourcesAt + BigInt(i * SOURCE_BYTES), true);
    headerView.setBigUint64(i * HEADER_BYTES + 16, vectorsAt + BigInt(i * IOVEC_BYTES), true);
    headerView.setBigUint64(i * HEADER_BYTES + 24, 1n, true);
    headerView.setBigUint64(i * HEADER_BYTES + 32, controlsAt + BigInt(i * CONTROL_STRIDE), true);
    reset(i);
  }

  /** The fields that the last turn changed: lengths that the kernel reads as available and overwrites with used. */
  function reset(slot: number): void {
    headers.words[slot * HEADER_WORDS + NAMELEN] = SOCKADDR_BYTES;
    headers.words[slot * HEADER_WORDS + CONTROLLEN] = CONTROL_BYTES;
    vectors.words[slot * 4 + 2] = SLOT_BYTES;
  }

  let used = 0;
  return {
    slots,
    sources,
    controls,
    controlAt: (slot) => slot * CONTROL_STRIDE,
    controlBytes: (slot) => headers.words[slot * HEADER_WORDS + CONTROLLEN],
    receive(fd) {
      for (let i = 0; i < used; i++) reset(i);
      used = Math.max(recvmmsg(fd, headers.bytes, count, MSG_DONTWAIT, null), 0);
      return used;
    },
    received: (slot) => headers.words[slot * HEADER_WORDS + LENGTH],
    reply(slot, bytes) {
      vectors.words[slot * 4 + 2] = bytes;
    },
    send(fd, first, end) {
      const from = first === 0 ? headers.bytes : headers.bytes.subarray(first * HEADER_BYTES);
      return sendmmsg(fd, from, end - first, MSG_DONTWAIT);
    },
  };
}

/** Sends a reply that took longer; false when the kernel does not accept it. */
export type DatagramSender = (
  fd: number,
  message: Uint8Array,
  source: Uint8Array,
  control: Uint8Array,
) => boolean;

/** Sends single datagrams, with its own memory. */
export function datagramSender(): DatagramSender {
  const slot = pinned(SLOT_BYTES);
  const sourceMemory = pinned(SOURCE_BYTES);
  const controlMemory = pinned(CONTROL_STRIDE);
  const vector = pinned(IOVEC_BYTES);
  const header = pinned(HEADER_BYTES);
  const vectorView = new DataView(vector.buffer);
  const headerView = new DataView(header.buffer);
  vectorView.setBigUint64(0, addressOf(slot), true);
  headerView.setBigUint64(0, addressOf(sourceMemory), true);
  headerView.setBigUint64(16, addressOf(vector), true);
  headerView.setBigUint64(24, 1n, true);
  headerView.setBigUint64(32, addressOf(controlMemory), true);
  return (fd, message, source, control) => {
    slot.set(message);
    sourceMemory.set(source);
    controlMemory.set(control);
    headerView.setUint32(NAMELEN * 4, source.length, true);
    headerView.setUint32(CONTROLLEN * 4, control.length, true);
    vectorView.setUint32(8, message.length, true);
    return sendmsg(fd, header, MSG_DONTWAIT) >= 0;
  };
}
