/**
 * Unsolicited SYNs from the IPv4 side (RFC 6146 section 3.5.2.2, RFC 5382 REQ-4). They get no answer for some seconds, because
 * the host may be about to open the same connection from its side; after that, the sender gets an error. They expire in the
 * order in which they came. The memory is bounded: at the limit, a new one replaces the oldest one of the sender with the most.
 */
import { MAPPED_WORD2 } from '../../../net/client.ts';
import { type SlotShares, createSlotShares, releaseSlot, takeSlot, victimFor } from '../../../net/shares.ts';
import { mix } from '../../../runtime/hash.ts';
import type { Packet } from '../packet/packet.ts';

/** RFC 6146 section 4: TCP_INCOMING_SYN. */
export const INCOMING_SYN_SECONDS = 6;
export const MAX_STORED_SYNS = 256;
/** How many bytes of the packet are kept: as many as the error about it may quote. */
const KEPT_BYTES = 576;
const HASH_SIZE = 512;

interface StoredSyn {
  mappedAddress: number;
  mappedPort: number;
  remoteAddress: number;
  remotePort: number;
  endsAt: number;
  /** Whether it was hairpinned: its sender is a host of ours. */
  isHairpinned: boolean;
  /** The slot of the next in its hash chain; 0 for none. */
  next: number;
  bytesKept: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface StoredSyns {
  /** The shares of the senders. */
  readonly shares: SlotShares;
  /** By slot. */
  readonly syns: StoredSyn[];
  /** The first slot of each hash chain. */
  readonly heads: Int32Array;
  readonly seed: number;
}

/** `seed`: a random number. */
export const createStoredSyns = (seed: number): StoredSyns => ({
  shares: createSlotShares({ slots: MAX_STORED_SYNS, seed }),
  syns: [],
  heads: new Int32Array(HASH_SIZE),
  seed,
});

/** The result of `storeSyn`. */
export const KEPT = { already: 0, stored: 1, displaced: 2 } as const;

/** Keeps the SYN. `already`: it was stored before and is not stored twice. `displaced`: another was removed for it. */
export function storeSyn(
  stored: StoredSyns,
  packet: Packet,
  nowSeconds: number,
): (typeof KEPT)[keyof typeof KEPT] {
  if (find(stored, packet) !== 0) return KEPT.already;
  const { shares, syns, heads } = stored;
  const sender = packet.remoteAddress;
  let slot = takeSlot(shares, 1, 0, 0, MAPPED_WORD2, sender);
  const isFull = slot === 0;
  if (isFull) {
    forget(stored, victimFor(shares, 1, 0, 0, MAPPED_WORD2, sender));
    slot = takeSlot(shares, 1, 0, 0, MAPPED_WORD2, sender);
  }
  const syn = (syns[slot] ??= createStoredSyn());
  syn.mappedAddress = packet.mappedAddress;
  syn.mappedPort = packet.mappedPort;
  syn.remoteAddress = packet.remoteAddress;
  syn.remotePort = packet.remotePort;
  syn.endsAt = nowSeconds + INCOMING_SYN_SECONDS;
  syn.isHairpinned = packet.isHairpinned;
  syn.bytesKept = Math.min(packet.end - packet.start, KEPT_BYTES);
  for (let i = 0; i < syn.bytesKept; i++) syn.bytes[i] = packet.bytes[packet.start + i];
  const head = hashOf(stored, syn);
  syn.next = heads[head];
  heads[head] = slot;
  return isFull ? KEPT.displaced : KEPT.stored;
}

/** Removes the SYN from the other side for the connection of the packet (N39); true if there was one. */
export function takeSyn(stored: StoredSyns, packet: Packet): boolean {
  const slot = stored.shares.usedSlots === 0 ? 0 : find(stored, packet);
  if (slot === 0) return false;
  forget(stored, slot);
  return true;
}

/** Moves the next expired SYN into `packet` at `start`; false if there is none. */
export function nextOverdueSyn(
  stored: StoredSyns,
  packet: Packet,
  start: number,
  nowSeconds: number,
): boolean {
  const slot = stored.shares.oldest;
  if (slot === 0 || stored.syns[slot].endsAt >= nowSeconds) return false;
  const { bytes, bytesKept, isHairpinned } = stored.syns[slot];
  packet.bytes.set(bytes.subarray(0, bytesKept), start);
  packet.start = start;
  packet.end = start + bytesKept;
  packet.isHairpinned = isHairpinned;
  forget(stored, slot);
  return true;
}

const createStoredSyn = (): StoredSyn => ({
  mappedAddress: 0,
  mappedPort: 0,
  remoteAddress: 0,
  remotePort: 0,
  endsAt: 0,
  isHairpinned: false,
  next: 0,
  bytesKept: 0,
  bytes: new Uint8Array(KEPT_BYTES),
});

type Tuple = Pick<StoredSyn, 'mappedAddress' | 'mappedPort' | 'remoteAddress' | 'remotePort'>;

const hashOf = ({ seed }: StoredSyns, { mappedAddress, mappedPort, remoteAddress, remotePort }: Tuple) =>
  mix(mix(mix(seed, remoteAddress), mappedAddress), (remotePort << 16) | mappedPort) & (HASH_SIZE - 1);

/** The slot of the SYN for the connection of the packet, or 0. */
function find(stored: StoredSyns, packet: Tuple): number {
  let slot = stored.heads[hashOf(stored, packet)];
  while (slot !== 0) {
    const syn = stored.syns[slot];
    if (
      syn.remoteAddress === packet.remoteAddress &&
      syn.remotePort === packet.remotePort &&
      syn.mappedPort === packet.mappedPort &&
      syn.mappedAddress === packet.mappedAddress
    )
      return slot;
    slot = syn.next;
  }
  return 0;
}

function forget(stored: StoredSyns, slot: number): void {
  const { syns, heads, shares } = stored;
  const head = hashOf(stored, syns[slot]);
  if (heads[head] === slot) heads[head] = syns[slot].next;
  else {
    let before = heads[head];
    while (syns[before].next !== slot) before = syns[before].next;
    syns[before].next = syns[slot].next;
  }
  releaseSlot(shares, slot);
}
