/**
 * Decides which connections of the admin server are closed at the limit. Connections that have not sent a whole request yet
 * have their own slots, so that clients that only connect can never displace working ones. Hosts of attached networks have
 * slots apart from all others. A new connection is always accepted: the client with the most connections loses the one that was
 * unused for longest.
 */
import type { Socket } from 'node:net';
import { IPV6_CLIENT_BITS, IPV6_HOST_BITS, clientAt } from '../net/client.ts';
import {
  type SlotShares,
  createSlotShares,
  nextOfClient,
  releaseSlot,
  takeSlot,
  touchSlot,
  victimFor,
} from '../net/shares.ts';
import { parseIpAddress } from '../wire/ip-address.ts';

/**
 * Slots for connections without a request yet, and for others. Attached networks have this many, and all other clients as many
 * again.
 */
export const MAX_SILENT = 64;
export const MAX_SERVED = 128;
/** How many of the loser's connections are searched for one without an answer under way. */
const LOOKED_AT = 8;

export interface ConnectionShares {
  /** Connections that have not sent a request, and others, in the pool that is used most. */
  readonly silent: number;
  readonly served: number;
  /** Adds a new connection. */
  add(socket: Socket): void;
  /**
   * The connection has sent a request (`socket` may be the encrypted one on it). Returns a function to call when the request
   * has been answered.
   */
  request(socket: Socket): () => void;
}

interface Entry {
  readonly socket: Socket;
  readonly isLocal: boolean;
  pool: Pool;
  slot: number;
  /** Requests that are not answered yet. */
  unanswered: number;
}

interface Pool {
  readonly shares: SlotShares;
  /** By slot. */
  readonly entries: (Entry | undefined)[];
}

/** `isLocal`: whether a peer is in an attached network. `onDisplaced` counts. `seed`: a random number. */
export function createConnectionShares(
  isLocal: (remoteAddress: string | undefined) => boolean,
  onDisplaced: () => void,
  seed: number,
): ConnectionShares {
  const pool = (slots: number, ipv6Bits: number): Pool => ({
    shares: createSlotShares({ slots, seed, ipv6Bits }),
    entries: [],
  });
  // In an attached network all hosts share one /64, so there a client is a single address.
  const silent = { local: pool(MAX_SILENT, IPV6_HOST_BITS), other: pool(MAX_SILENT, IPV6_CLIENT_BITS) };
  const served = { local: pool(MAX_SERVED, IPV6_HOST_BITS), other: pool(MAX_SERVED, IPV6_CLIENT_BITS) };
  /** By the peer's address and port, which the encrypted socket has too. */
  const byPeer = new Map<string, Entry>();

  function take(entry: Entry, from: Pool): void {
    const { shares, entries } = from;
    const address = parseIpAddress((entry.socket.remoteAddress ?? '').split('%')[0]);
    const { word0, word1, word2, word3 } = clientAt(address ?? new Uint8Array(16));
    if (shares.usedSlots === shares.slots) {
      const victim = idleOf(from, victimFor(shares, 1, word0, word1, word2, word3));
      onDisplaced();
      leave(victim);
      victim.socket.destroy();
    }
    entry.pool = from;
    entry.slot = takeSlot(shares, 1, word0, word1, word2, word3);
    entries[entry.slot] = entry;
  }

  function leave(entry: Entry): void {
    if (entry.slot === 0) return;
    releaseSlot(entry.pool.shares, entry.slot);
    entry.pool.entries[entry.slot] = undefined;
    entry.slot = 0;
  }

  return {
    get silent() {
      return Math.max(silent.local.shares.usedSlots, silent.other.shares.usedSlots);
    },
    get served() {
      return Math.max(served.local.shares.usedSlots, served.other.shares.usedSlots);
    },
    add(socket) {
      const local = isLocal(socket.remoteAddress);
      const from = local ? silent.local : silent.other;
      const entry: Entry = { socket, isLocal: local, pool: from, slot: 0, unanswered: 0 };
      const peer = peerOf(socket);
      take(entry, from);
      byPeer.set(peer, entry);
      socket.once('close', () => {
        leave(entry);
        if (byPeer.get(peer) === entry) byPeer.delete(peer);
      });
    },
    request(socket) {
      const entry = byPeer.get(peerOf(socket));
      if (entry === undefined || entry.slot === 0) return () => {};
      const own = entry.isLocal ? served.local : served.other;
      if (entry.pool === own) touchSlot(own.shares, entry.slot);
      else {
        leave(entry);
        take(entry, own);
      }
      entry.unanswered++;
      return () => void entry.unanswered--;
    },
  };
}

/** The connection in this slot, or the next one of the same client without an unanswered request. */
function idleOf({ shares, entries }: Pool, victim: number): Entry {
  let slot = victim;
  for (let i = 0; i < LOOKED_AT && slot !== 0; i++) {
    if (entries[slot]?.unanswered === 0) return entries[slot]!;
    slot = nextOfClient(shares, slot);
  }
  return entries[victim]!;
}

const peerOf = ({ remoteAddress, remotePort, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localPort}`;
