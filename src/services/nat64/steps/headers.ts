/**
 * The rules for IP headers (RFC 7915 sections 4.1 and 5.1): one function each way, for a packet's own header and for that of
 * the packet that an ICMP error quotes, which differs in its hop limit alone (sections 4.3 and 5.3).
 */
import {
  DONT_FRAGMENT,
  FRAGMENT_OFFSET,
  FRAGMENT_UNIT_SHIFT,
  IPV4,
  MORE_FRAGMENTS,
  writeIpv4Header,
} from '../../../wire/ipv4.ts';
import {
  EXTENSION,
  FRAGMENT_HEADER_BYTES,
  IPV6,
  IPV6_HEADER_BYTES,
  trafficClass,
  writeFragmentHeader,
  writeIpv6Start,
} from '../../../wire/ipv6.ts';
import { GSO } from '../../../wire/virtio-net.ts';
import { segmentsOf, wireBytesOf } from '../packet/packet.ts';
import type { Settings } from '../settings/settings.ts';
import type { Translator } from './translator.ts';

/** N28: up to here an IPv4 packet may be fragmented on its way, because IPv6 could not have been told otherwise. */
export const LARGEST_FRAGMENTABLE_BYTES = 1260;

/** The TOS octet of what becomes of the IPv6 packet at `at` (RFC 7915 section 5.1). */
const tosOf = (settings: Settings, view: DataView, at: number): number =>
  (trafficClass(view, at) & settings.copiedClassTo4) | settings.setClassTo4;

/**
 * Writes at `at` the IPv4 header that the IPv6 header at `from` becomes; the two may overlap. `hops` is what its hop limit
 * loses. `identification` is that of its fragment header, -1 when it has none; `fragment` the offset and MF that it says.
 */
export function writeHeader4(
  translator: Translator,
  from: number,
  at: number,
  totalBytes: number,
  hops: number,
  protocol: number,
  source: number,
  destination: number,
  identification: number,
  fragment: number,
): void {
  const { packet } = translator;
  const { view } = packet;
  const tos = tosOf(translator.settings, view, from);
  const ttl = view.getUint8(from + IPV6.HOP_LIMIT) - hops;
  // N30: what came with a fragment header keeps its identification, and may be fragmented further.
  const hasFragmentHeader = identification !== -1;
  const wireBytes = packet.gsoType === GSO.NONE ? totalBytes : wireBytesOf(packet);
  const isFragmentable = hasFragmentHeader || wireBytes <= LARGEST_FRAGMENTABLE_BYTES;
  writeIpv4Header(
    view,
    at,
    tos,
    totalBytes,
    hasFragmentHeader
      ? identification
      : isFragmentable
        ? nextIdentification(translator, segmentsOf(packet))
        : 0,
    isFragmentable ? fragment : DONT_FRAGMENT,
    ttl,
    protocol,
    source,
    destination,
  );
}

/**
 * Writes at `at` all but the addresses of the IPv6 header that the IPv4 header at `from` becomes, and its fragment header
 * where `fragment` (offset and MF of IPv4) is not 0; the two may overlap.
 */
export function writeHeader6(
  { packet, settings }: Translator,
  from: number,
  at: number,
  payloadBytes: number,
  hops: number,
  nextHeader: number,
  identification: number,
  fragment: number,
): void {
  const { view } = packet;
  const tos = view.getUint8(from + IPV4.TOS) & settings.copiedClassTo6;
  const hopLimit = view.getUint8(from + IPV4.TTL) - hops;
  if (fragment === 0) {
    writeIpv6Start(view, at, tos, payloadBytes, nextHeader, hopLimit);
    return;
  }
  const offset = (fragment & FRAGMENT_OFFSET) << FRAGMENT_UNIT_SHIFT;
  const more = (fragment & MORE_FRAGMENTS) === 0 ? 0 : 1;
  const allBytes = Math.min(payloadBytes + FRAGMENT_HEADER_BYTES, 0xffff);
  writeIpv6Start(view, at, tos, allBytes, EXTENSION.FRAGMENT, hopLimit);
  writeFragmentHeader(view, at + IPV6_HEADER_BYTES, nextHeader, offset | more, identification);
}

/** Identifications for so many segments of a packet that may be fragmented: unique for as long as can be (RFC 6864). */
function nextIdentification(translator: Translator, segments: number): number {
  const { identification } = translator;
  translator.identification = (identification + segments) & 0xffff;
  return identification;
}
