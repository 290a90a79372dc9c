/** What an IPv4 address of ours stands for: a mapping (hairpinning, RFC 6146 section 3.8), or the appliance itself. */
import { findBibByMappedPort } from '../tables/bib.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { isInPool, slotOf } from '../settings/pool.ts';
import { isOurs4 } from '../settings/settings.ts';
import { findOwnEam4 } from '../settings/stateless.ts';
import type { Translator } from './translator.ts';

/**
 * For a packet from the IPv6 side: whether it is for a mapping of ours, and so must be translated back to the IPv6 side. ICMP
 * queries never are: their identifier belongs to the host that sends them.
 */
export function isHairpin(translator: Translator): boolean {
  const { packet } = translator;
  // For a later fragment this was decided by the first one, or from the address alone.
  const isLater = packet.isFragment && packet.fragmentOffset !== 0;
  return isLater ? packet.fragmentIsHairpin : isHairpinByTuple(translator);
}

export function isHairpinByTuple({ packet, settings, tables }: Translator): boolean {
  const { remoteAddress, remotePort, protocol } = packet;
  if (
    settings.eamHairpinning === 'intrinsic' &&
    !packet.remoteHasEam &&
    findOwnEam4(settings, remoteAddress) !== undefined
  )
    return !packet.isError || findOwnEam4(settings, packet.errorPeer) !== undefined;
  const slot = slotOf(settings.poolAddresses, remoteAddress);
  if (slot === -1 || protocol >= TRANSPORT.ICMP) return false;
  if (packet.isError && packet.errorPeer !== remoteAddress) return false;
  return (
    isInPool(settings, slot, protocol, remotePort) ||
    findBibByMappedPort(tables, slot, protocol, remotePort) !== 0
  );
}

/**
 * For a packet from the IPv6 side, before it may open a session: whether it is for the appliance itself. Its source would become
 * an address of the appliance, and so it would pass every access list. Packets for a mapping of ours are hairpinned instead.
 */
export function reachesUs(translator: Translator): boolean {
  const { packet, settings } = translator;
  return (
    isOurs4(settings, packet.isError ? packet.errorPeer : packet.remoteAddress) && !isHairpin(translator)
  );
}

/**
 * Whether a packet to a pool4 address is for the appliance's own programs. The kernel steers ICMP here by identifier, and the
 * appliance's own ping may use one of ours. It steers all fragments here, because only the first shows its ports.
 */
export function isForKernel({ packet, settings, tables }: Translator): boolean {
  const { protocol, mappedSlot, mappedPort, isFragment } = packet;
  if (packet.isStateless || !settings.isOwnAddress[mappedSlot]) return false;
  if (protocol !== TRANSPORT.ICMP && (!isFragment || isInPool(settings, mappedSlot, protocol, mappedPort)))
    return false;
  return findBibByMappedPort(tables, mappedSlot, protocol, mappedPort) === 0;
}
