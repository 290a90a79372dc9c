/**
 * Stateless address mapping: by the explicit address mapping table (RFC 7757), and in stateless mode by RFC 6052 for hosts whose
 * own address stands for an IPv4 address. Such hosts have a whole IPv4 address, and no BIB entry.
 */
import { readWords, writeWords } from '../../../wire/ipv6.ts';
import { extractIpv4FromWords, writeEmbeddedIpv4 } from '../../../wire/nat64-prefix.ts';
import type { Packet } from '../packet/packet.ts';
import { isInList4 } from './address-list.ts';
import { type EamEntry, eamIpv4, findEam4, findEam6, writeEamIpv6 } from './eam.ts';
import type { Settings } from './settings.ts';

/**
 * The IPv4 address that stands for an IPv6 host without a session, or undefined. A host has an address of the prefix only
 * where its IPv4 address is one that leads here (`nat64.embedded`): with any other it would speak for somebody else.
 */
export function statelessIpv4(settings: Settings, host: Int32Array): number | undefined {
  const entry = findEam6(settings.eam, host);
  if (entry !== undefined) return entry.isOnIpv4Side ? undefined : eamIpv4(entry, host);
  if (!settings.isStateless) return undefined;
  const embedded = extractIpv4FromWords(settings.prefix, host);
  return embedded !== undefined && isInList4(settings.embedded4, embedded) ? embedded : undefined;
}

const words = new Int32Array(4);
const bytes = new DataView(new ArrayBuffer(16));

/** The IPv4 address that the mapping of the address at `at` gives, whichever side it is on (RFC 7757 section 3.3.2). */
export function eamIpv4At({ eam }: Settings, view: DataView, at: number): number | undefined {
  if (eam.by6.length === 0) return undefined;
  readWords(view, at, words);
  const entry = findEam6(eam, words);
  return entry === undefined ? undefined : eamIpv4(entry, words);
}

/** Fills in the host that owns `packet.mappedAddress`; false when none does. */
export function readStatelessHost(settings: Settings, { mappedAddress, host }: Packet): boolean {
  const entry = findEam4(settings.eam, mappedAddress);
  if (entry !== undefined) {
    writeEamIpv6(entry, mappedAddress, host);
    return !entry.isOnIpv4Side;
  }
  if (!settings.isStateless || !isInList4(settings.embedded4, mappedAddress)) return false;
  writeEmbeddedIpv4(settings.prefix, mappedAddress, bytes, 0);
  readWords(bytes, 0, host);
  return true;
}

/**
 * Writes the IPv6 address of the IPv4 remote end: that of its address mapping, where `hasEam`, or one of the prefix that the packet
 * goes by.
 */
export function writeRemote(
  { eam, prefixes }: Settings,
  { view, prefixIndex }: Packet,
  at: number,
  address: number,
  hasEam: boolean,
): void {
  const entry = hasEam ? findEam4(eam, address) : undefined;
  if (entry === undefined) {
    writeEmbeddedIpv4(prefixes[prefixIndex], address, view, at);
    return;
  }
  writeEamIpv6(entry, address, words);
  writeWords(view, at, words);
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

/** Whether hosts are mapped without sessions at all. */
export const hasStateless = ({ eam, isStateless }: Settings): boolean => isStateless || eam.by4.length > 0;

/**
 * Whether the address is that of a host which has it inside its IPv6 address. The route to it is longer than that to us:
 * without one, what goes to it would come back to us for ever.
 */
export const isEmbeddedHost = ({ isStateless, embedded4 }: Settings, address: number): boolean =>
  isStateless && isInList4(embedded4, address);

/** Takes in the host's address, and the IPv4 address that it has for itself, if it has one. */
export function readHost(settings: Settings, packet: Packet, at: number): void {
  readWords(packet.view, at, packet.host);
  packet.isStateless = false;
  if (!hasStateless(settings)) return;
  const ipv4 = statelessIpv4(settings, packet.host);
  if (ipv4 === undefined) return;
  packet.isStateless = true;
  packet.mappedAddress = ipv4;
}
