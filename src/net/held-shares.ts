/**
 * What is held for a time and cannot be taken away (questions under way): at most so many, with a share for each host and each
 * client by the rule of `isWithinShare`.
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

/** The same slots twice, counted by host and by client. */
export interface HeldShares {
  readonly hosts: SlotShares;
  readonly clients: SlotShares;
}

/** `seed`: a random number. */
export const createHeldShares = (size: number, seed: number): HeldShares => ({
  hosts: createSlotShares({ slots: size, seed, ipv6Bits: IPV6_HOST_BITS }),
  clients: createSlotShares({ slots: size, seed }),
});

/** What to give back later; 0 when there is no more, or no more for this client. */
export function hold({ hosts, clients }: HeldShares, { word0, word1, word2, word3 }: Client): number {
  const left = hosts.slots - hosts.usedSlots;
  if (!isWithinShare(heldBy(hosts, word0, word1, word2, word3), left, HOST_SHARE)) return 0;
  if (!isWithinShare(heldBy(clients, word0, word1, word2, word3), left, CLIENT_SHARE)) return 0;
  takeSlot(clients, 1, word0, word1, word2, word3);
  // The same number in both: each slot is taken and given back in both at once.
  return takeSlot(hosts, 1, word0, word1, word2, word3);
}

export function giveBack({ hosts, clients }: HeldShares, slot: number): void {
  releaseSlot(hosts, slot);
  releaseSlot(clients, slot);
}
