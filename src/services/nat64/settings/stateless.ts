/**
 * Stateless address mapping: by the explicit address mapping table (RFC 7757), and in stateless mode by RFC 6052 for hosts whose
 * own address stands for an IPv4 address. Such hosts have a whole IPv4 address, and no BIB entry.
 */
import { extractIpv4FromWords, writeEmbeddedIpv4 } from '../../../wire/nat64-prefix.ts';
import type { Packet } from '../packet/packet.ts';
import { isInList4 } from './address-list.ts';
import { type EamEntry, eamIpv4, eamIpv6, findEam4, findEam6 } from './eam.ts';
import type { Settings } from './settings.ts';

/**
 * The IPv4 address that stands for an IPv6 host without a session, or undefined. A host has an address of the prefix only
 * where its IPv4 address is one that leads here (`nat64.embedded`): with any other it would speak for somebody else.
 */
export function statelessIpv4(
  settings: Settings,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number | undefined {
  const entry = findEam6(settings.eam, word0, word1, word2, word3);
  if (entry !== undefined)
    return entry.isOnIpv4Side ? undefined : eamIpv4(entry, [word0, word1, word2, word3]);
  if (!settings.isStateless) return undefined;
  const embedded = extractIpv4FromWords(settings.prefix, word0, word1, word2, word3);
  return embedded !== undefined && isInList4(settings.embedded4, embedded) ? embedded : undefined;
}

/** The IPv4 address that the mapping of the address at `at` gives, whichever side it is on (RFC 7757 section 3.3.2). */
export function eamIpv4At({ eam }: Settings, view: DataView, at: number): number | undefined {
  if (eam.by6.length === 0) return undefined;
  const word0 = view.getInt32(at);
  const word1 = view.getInt32(at + 4);
  const word2 = view.getInt32(at + 8);
  const word3 = view.getInt32(at + 12);
  const entry = findEam6(eam, word0, word1, word2, word3);
  return entry === undefined ? undefined : eamIpv4(entry, [word0, word1, word2, word3]);
}

/** Fills in the host that owns `packet.mappedAddress`; false when none does. */
export function readStatelessHost(settings: Settings, packet: Packet): boolean {
  const entry = findEam4(settings.eam, packet.mappedAddress);
  if (entry !== undefined) {
    [packet.host0, packet.host1, packet.host2, packet.host3] = eamIpv6(entry, packet.mappedAddress);
    return !entry.isOnIpv4Side;
  }
  if (!settings.isStateless || !isInList4(settings.embedded4, packet.mappedAddress)) return false;
  writeEmbeddedIpv4(settings.prefix, packet.mappedAddress, scratch, 0);
  packet.host0 = scratch.getInt32(0);
  packet.host1 = scratch.getInt32(4);
  packet.host2 = scratch.getInt32(8);
  packet.host3 = scratch.getInt32(12);
  return true;
}

/** The host of ours that an IPv4 address belongs to as a whole, if it does by an address mapping. */
export function findOwnEam4(settings: Settings, address: number): EamEntry | undefined {
  const entry = findEam4(settings.eam, address);
  return entry === undefined || entry.isOnIpv4Side ? undefined : entry;
}

/**
 * For a packet from the IPv4 side, whose destination is known: whether its source goes by its address mapping (RFC 7757
 * section 4): always without hairpinning (4.1), never with the simple kind (4.2.1), else when the packet did not come
 * back in (4.2.2). Where there are sessions, the answer must come this way again: then the prefix stands for it.
 */
export const goesByEam = ({ eam, eamHairpinning }: Settings, packet: Packet): boolean =>
  packet.isStateless &&
  eam.by4.length > 0 &&
  (eamHairpinning === 'none' || (eamHairpinning === 'intrinsic' && !packet.isHairpinned));

const scratch = new DataView(new ArrayBuffer(16));

/** Whether hosts are mapped without sessions at all. */
export const hasStateless = ({ eam, isStateless }: Settings): boolean => isStateless || eam.by4.length > 0;
