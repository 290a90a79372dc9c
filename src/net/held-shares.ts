/**
 * Resources that are held for a time and cannot be taken away (queries in progress). Their number is limited, and each host and
 * each client has a share by the rule of `isWithinShare`.
 */
import { type Client, IPV6_HOST_BITS } from './client.ts';
import {
  CLIENT_SHARE,
  HOST_SHARE,
  type SlotShares,
  createSlotShares,
  heldBy,
  isWithinShare,
  releaseSlot,
  takeSlot,
} from './shares.ts';

/** The same slots twice: counted by host and by client. */
export interface HeldShares {
  readonly hosts: SlotShares;
  readonly clients: SlotShares;
}

/** `seed`: a random number. */
export const createHeldShares = (size: number, seed: number): HeldShares => ({
  hosts: createSlotShares({ slots: size, seed, ipv6Bits: IPV6_HOST_BITS }),
  clients: createSlotShares({ slots: size, seed }),
});

/** Takes a slot, which must be given back later; 0 if none is left, or none for this client. */
export function hold({ hosts, clients }: HeldShares, { word0, word1, word2, word3 }: Client): number {
  const left = hosts.slots - hosts.usedSlots;
  if (!isWithinShare(heldBy(hosts, word0, word1, word2, word3), left, HOST_SHARE)) return 0;
  if (!isWithinShare(heldBy(clients, word0, word1, word2, word3), left, CLIENT_SHARE)) return 0;
  takeSlot(clients, 1, word0, word1, word2, word3);
  // The slot has the same number in both, because slots are always taken and given back in both together.
  return takeSlot(hosts, 1, word0, word1, word2, word3);
}

export function giveBack({ hosts, clients }: HeldShares, slot: number): void {
  releaseSlot(hosts, slot);
  releaseSlot(clients, slot);
}
