/**
 * Unsolicited SYNs from the IPv4 side (RFC 6146 section 3.5.2.2, RFC 5382 REQ-4): nobody is told for some seconds,
 * because the host may be about to open the same connection from its side; then the sender is. They are kept in order of
 * arrival, which is the order in which they end; the memory is bounded.
 */
import type { Packet } from './packet.ts';

/** RFC 6146 section 4: TCP_INCOMING_SYN. */
export const INCOMING_SYN_SECONDS = 6;
export const MAX_STORED_SYNS = 256;
/** As much of the packet as the error about it may quote. */
const KEPT_BYTES = 576;

interface StoredSyn {
  mappedAddress: number;
  mappedPort: number;
  remoteAddress: number;
  remotePort: number;
  endsAt: number;
  /** Whether its sender is a host of ours. */
  isHairpinned: boolean;
  /** False once the host has opened the connection itself. */
  isWaiting: boolean;
  bytesKept: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A ring of `count` SYNs from `first` on. */
export interface StoredSyns {
  readonly ring: StoredSyn[];
  first: number;
  count: number;
}

export const createStoredSyns = (): StoredSyns => ({ ring: [], first: 0, count: 0 });

/** Keeps the SYN; false when there is no room. One that is there already is not kept twice. */
export function storeSyn(syns: StoredSyns, packet: Packet, nowSeconds: number): boolean {
  if (find(syns, packet) !== undefined) return true;
  if (syns.count === MAX_STORED_SYNS) return false;
  const at = (syns.first + syns.count) % MAX_STORED_SYNS;
  const syn = (syns.ring[at] ??= createStoredSyn());
  syns.count++;
  syn.mappedAddress = packet.mappedAddress;
  syn.mappedPort = packet.mappedPort;
  syn.remoteAddress = packet.remoteAddress;
  syn.remotePort = packet.remotePort;
  syn.endsAt = nowSeconds + INCOMING_SYN_SECONDS;
  syn.isHairpinned = packet.isHairpinned;
  syn.isWaiting = true;
  syn.bytesKept = Math.min(packet.end - packet.start, KEPT_BYTES);
  syn.bytes.set(packet.bytes.subarray(packet.start, packet.start + syn.bytesKept));
  return true;
}

/** Forgets the SYN that the packet's connection had from the other side (N39); true when there was one. */
export function takeSyn(syns: StoredSyns, packet: Packet): boolean {
  const syn = syns.count === 0 ? undefined : find(syns, packet);
  if (syn === undefined) return false;
  syn.isWaiting = false;
  return true;
}

/** Puts the next SYN whose time is over into `packet` at `start`; false when there is none. */
export function nextOverdueSyn(syns: StoredSyns, packet: Packet, start: number, nowSeconds: number): boolean {
  while (syns.count > 0) {
    const syn = syns.ring[syns.first];
    if (syn.isWaiting && syn.endsAt >= nowSeconds) return false;
    syns.first = (syns.first + 1) % MAX_STORED_SYNS;
    syns.count--;
    if (!syn.isWaiting) continue;
    packet.bytes.set(syn.bytes.subarray(0, syn.bytesKept), start);
    packet.start = start;
    packet.end = start + syn.bytesKept;
    packet.isHairpinned = syn.isHairpinned;
    return true;
  }
  return false;
}

const createStoredSyn = (): StoredSyn => ({
  mappedAddress: 0,
  mappedPort: 0,
  remoteAddress: 0,
  remotePort: 0,
  endsAt: 0,
  isHairpinned: false,
  isWaiting: false,
  bytesKept: 0,
  bytes: new Uint8Array(KEPT_BYTES),
});

function find(syns: StoredSyns, packet: Packet): StoredSyn | undefined {
  for (let i = 0; i < syns.count; i++) {
    const syn = syns.ring[(syns.first + i) % MAX_STORED_SYNS];
    if (
      syn.isWaiting &&
      syn.remoteAddress === packet.remoteAddress &&
      syn.remotePort === packet.remotePort &&
      syn.mappedPort === packet.mappedPort &&
      syn.mappedAddress === packet.mappedAddress
    )
      return syn;
  }
  return undefined;
}
