/**
 * Stateless address mapping: by the explicit address mapping table (RFC 7757), and in stateless mode by RFC 6052 for hosts with
 * an IPv4 address embedded in their own address. Such hosts have a whole IPv4 address, and no BIB entry.
 */
import { readWords, writeWords } from '../../../wire/ipv6.ts';
import { extractIpv4FromWords, writeEmbeddedIpv4 } from '../../../wire/nat64-prefix.ts';
import type { Packet } from '../packet/packet.ts';
import { isInList4 } from './address-list.ts';
import { type EamEntry, eamIpv4, findEam4, findEam6, writeEamIpv6 } from './eam.ts';
import type { Settings } from './settings.ts';

/**
 * The IPv4 address that represents an IPv6 host without a session, or undefined. A host with an address in the prefix is only
 * accepted if its IPv4 address is routed to us (`nat64.embedded`): with any other, it would use an address of somebody else.
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

/** The IPv4 address for the address at `at` by its address mapping, on either side (RFC 7757 section 3.3.2). */
export function eamIpv4At({ eam }: Settings, view: DataView, at: number): number | undefined {
  if (eam.by6.length === 0) return undefined;
  readWords(view, at, words);
  const entry = findEam6(eam, words);
  return entry === undefined ? undefined : eamIpv4(entry, words);
}

/** Fills in the host that owns `packet.mappedAddress`; false if no host does. */
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
 * Writes the IPv6 address that represents the IPv4 remote end: by its address mapping if `hasEam`, otherwise in the prefix of the
 * packet.
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

/** The host of ours that a whole IPv4 address belongs to by an address mapping, if there is one. */
export function findOwnEam4(settings: Settings, address: number): EamEntry | undefined {
  const entry = findEam4(settings.eam, address);
  return entry === undefined || entry.isOnIpv4Side ? undefined : entry;
}

/**
 * For a packet from the IPv4 side, whose destination is known: whether its source is translated by its address mapping (RFC 7757
 * section 4). Without hairpinning it always is (4.1), with simple hairpinning it never is (4.2.1), with intrinsic hairpinning it
 * is unless the packet was hairpinned (4.2.2). If the host uses sessions, the answer must come back through us: then the prefix
 * represents the source.
 */
export const goesByEam = ({ eam, eamHairpinning }: Settings, packet: Packet): boolean =>
  packet.isStateless &&
  eam.by4.length > 0 &&
  (eamHairpinning === 'none' || (eamHairpinning === 'intrinsic' && !packet.isHairpinned));

/** Whether any hosts are mapped without sessions. */
export const hasStateless = ({ eam, isStateless }: Settings): boolean => isStateless || eam.by4.length > 0;

/**
 * Whether the address belongs to a host that has it embedded in its IPv6 address. The route to that host must be longer than the
 * route to us: without one, packets to it would come back to us in a loop.
 */
export const isEmbeddedHost = ({ isStateless, embedded4 }: Settings, address: number): boolean =>
  isStateless && isInList4(embedded4, address);

/** Reads the address of the host, and the IPv4 address of its own, if it has one. */
export function readHost(settings: Settings, packet: Packet, at: number): void {
  readWords(packet.view, at, packet.host);
  packet.isStateless = false;
  if (!hasStateless(settings)) return;
  const ipv4 = statelessIpv4(settings, packet.host);
  if (ipv4 === undefined) return;
  packet.isStateless = true;
  packet.mappedAddress = ipv4;
}
